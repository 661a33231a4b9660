"""The scores of a run so far: which step was the best, and whether the network has collapsed since."""

import dataclasses
import math
from collections.abc import Mapping

from jaxsr.support.types import Json
from jaxsr.training.run.run_log import LostScores

MARGIN = 3.0  # dB below the baseline that count as lost
PATIENCE = 2  # validations in a row


@dataclasses.dataclass
class ScoreWatch:
    """Follows the PSNR of validation beside that of the baseline: bicubic, or the blurred input.

    Attributes:
        best_step: the step of the best score, None before the first one.
        best: that score in dB.
        passed: whether a score was above the baseline's.
        lost: how many of the last scores in a row lay MARGIN below the baseline's.
        below: by how many dB the last score lay below the baseline's; negative above it, and 0 where the baseline's
            has no bound, as of flat photos.
    """

    best_step: int | None = None
    best: float = float("-inf")
    passed: bool = False
    lost: int = 0
    below: float = 0.0

    def add(self, step: int, scores: Mapping[str, float], *, stop: bool) -> None:
        """Take the `scores` after `step`.

        Raises LostScores where `stop` says so and PATIENCE scores in a row lie MARGIN dB below the baseline's, which
        the network had passed before.
        """
        baseline = next(value for name, value in scores.items() if name.endswith("_psnr"))
        psnr = scores["psnr"]
        self.below = 0.0 if math.isinf(baseline) else baseline - psnr
        if psnr > self.best:
            self.best, self.best_step = psnr, step
        self.passed |= psnr > baseline
        self.lost = self.lost + 1 if not self.below <= MARGIN else 0  # NaN is lost too
        if stop and self.passed and self.lost >= PATIENCE:
            raise LostScores(
                f"the network collapsed: at step {step} it scores {psnr:.2f} dB, {PATIENCE} validations in a row over "
                f"{MARGIN:.0f} dB below {baseline:.2f} of its input, which it had passed; lower "
                f"--config.optimizer.learning_rate, or set --config.stop_on_collapse=False to train on"
            )

    def record(self) -> dict[str, Json]:
        """Return the fields for a checkpoint."""
        fields = dataclasses.asdict(self)
        return fields | {"best": None if self.best_step is None else self.best}

    @classmethod
    def of_record(cls, record: Mapping[str, Json]) -> "ScoreWatch":
        """Return the watch whose fields `record` gave."""
        fields = {name: value for name, value in record.items() if value is not None}
        return cls(**fields)
