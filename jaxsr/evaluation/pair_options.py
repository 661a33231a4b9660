"""How LR photos are made from HR photos where a model is scored: one record of options, checked against the scale."""

import dataclasses

from jaxsr.degradations.camera_paths import JITTER
from jaxsr.degradations.camera_shake import EXPOSURES, check_shake
from jaxsr.degradations.table import degradation_of
from jaxsr.support.errors import UserError, numbers_of
from jaxsr.support.randomness import check_seed


@dataclasses.dataclass(frozen=True)
class PairOptions:
    """How LR photos are made.

    Attributes:
        degradation: a row of `jaxsr.degradations.DEGRADATIONS`.
        kernel_size: side of the blur kernels in pixels; None for the row's own.
        quantize_lr: for "bicubic": whether to round to 8 bits after each pass and clamp the border, as published files
            have it.
        seed: decides, with the photo's name, what is random.
        exposures: for "motion": shares of the shake's time, in (0, 1]; None for DeblurGAN's.
        jitter: for "motion": levels of camera-shake jitter, 0 or more; None for DeblurGAN's.
    """

    degradation: str = "bicubic"
    kernel_size: int | None = None
    quantize_lr: bool = False
    seed: int = 0
    exposures: tuple[float, ...] | None = None
    jitter: tuple[float, ...] | None = None

    def check(self, scale: int) -> None:
        """Raise UserError for an unknown degradation, a scale it lacks, options not its own, and an unfit seed."""
        row, size = degradation_of(self.degradation, scale, self.kernel_size)
        check_seed(self.seed)
        if self.quantize_lr and self.degradation != "bicubic":
            raise UserError(f"quantize_lr is for bicubic; photos by {self.degradation} have 8 bits: leave it out")
        if self.kernel_size is not None and row.draw is None:
            raise UserError(f"{self.degradation} takes no kernel_size; leave it out, or choose a kind with kernels")
        if self.degradation == "motion":
            check_shake(size, *self.shake)
            return
        for name in ("exposures", "jitter"):
            if getattr(self, name) is not None:
                raise UserError(f"{self.degradation} takes no {name}; leave it out, or choose motion")

    @property
    def shake(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The exposures and jitter of the camera shake."""
        return (
            EXPOSURES if self.exposures is None else numbers_of("exposures", self.exposures, EXPOSURES),
            JITTER if self.jitter is None else numbers_of("jitter", self.jitter, JITTER),
        )


BICUBIC_PAIRS = PairOptions()
