"""Scores and a sample picture while training, on photos that are never trained on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxsr.data.images import Photo, write_photo
from jaxsr.evaluation.pairs import Pair
from jaxsr.evaluation.scores import UNQUANTIZED, score, score_pair
from jaxsr.imaging.patches import center_crop
from jaxsr.imaging.pixels import to_levels, to_rgb
from jaxsr.models import Model
from jaxsr.support.types import Json
from jaxsr.training.run.run_folder import names_only
from jaxsr.training.tasks.validation_sets import ValidationSet

PANEL, MAX_ROWS = 320, 4  # largest side of a panel of the sample pictures in pixels, and how many pairs these show


class Validation:
    """Scores models on a ValidationSet."""

    def __init__(self, name: str, photos: ValidationSet, samples: Path):
        """Take the set of `config.data.validation`, which is `name`; sample pictures go to the folder `samples`."""
        self._name, self._set, self._samples = name, photos, samples
        self._options = photos.options or [UNQUANTIZED] * len(photos.pairs)

    def score(self, model: Model, step: int) -> dict[str, float]:
        """Return the mean PSNR and SSIM and the baseline's PSNR, and write a picture of samples.

        The baseline is the bicubic enlargement ("bicubic_psnr"), or when deblurring the blurred photo ("input_psnr").
        """
        protocols = self._set.protocols[:1]
        self._write_samples(model, step, protocols)
        (scores,) = score(model, self._set.pairs, protocols=protocols, options=self._options).values()
        return {**scores.mean, f"{scores.baseline_name}_psnr": scores.baseline["psnr"]}

    def _write_samples(self, model: Model, step: int, protocols: tuple[str, ...]) -> None:
        every = -(-len(self._set.pairs) // MAX_ROWS)
        pairs, options = self._set.pairs[::every], self._options[::every]
        restored = [score_pair(model, pair, protocols, each)[0] for pair, each in zip(pairs, options, strict=True)]
        write_photo(self._samples / f"step_{step:08d}.png", Photo(to_levels(sample_picture(pairs, restored))))

    def card(self, model: Model) -> list[dict[str, Json]]:
        """Return what a weight file's card says of scores: data, protocol, mean and the baseline's mean."""
        each = score(model, self._set.pairs, protocols=self._set.protocols, options=self._options).values()
        photos = {"data": names_only(self._name), "photos": self._set.photos, "pairs": len(self._set.pairs)}
        return [photos | {key: x.record()[key] for key in ("protocol", "mean", x.baseline_name)} for x in each]


def sample_picture(pairs: Sequence[Pair], restored: list[np.ndarray]) -> np.ndarray:
    """Return a picture (rows H, 3 H, 3) with a row for each pair: enlarged or blurred input, restored, HR.

    Shown are the middles of all three.
    """
    side = min(PANEL, *(length for pair in pairs for length in pair.hr.shape[:2]))
    rows = []
    for pair, image in zip(pairs, restored, strict=True):
        panels = [center_crop(panel, side, side) for panel in (pair.enlarged, image, pair.hr)]
        rows.append(to_rgb(np.concatenate(panels, axis=1)))
    return np.concatenate(rows)
