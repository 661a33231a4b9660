"""Scores and a sample picture while training, on photos that are never trained on."""

from pathlib import Path
from typing import Any

import numpy as np

from jaxsr.data.images import Photo, write_photo
from jaxsr.data.samples import folder_photos, sample_photos
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.patches import center_crop
from jaxsr.imaging.resize import resize
from jaxsr.models import Model
from jaxsr.restoration.photo_pairs import Pair, make_pairs
from jaxsr.restoration.scoring import score, score_pair
from jaxsr.training.config import Config

PROTOCOLS = ("y8", "rgb")
PANEL = 320  # pixels of a panel of the sample picture


class Validation:
    """The photos of `config.data.validation`, and how models score on them."""

    def __init__(self, config: Config, samples: Path):
        """Read the photos; sample pictures go to the folder `samples`."""
        self.name = config.data.validation
        photos = sample_photos("validation") if self.name == "samples" else folder_photos(self.name)
        self._photos = len(photos)
        options = {"degradation": config.data.degradation, "kernel_size": config.data.kernel_size}
        self._pairs = [
            pair for name, pixels in photos.items() for pair in make_pairs(name, pixels, config.model.scale, **options)
        ]
        self._samples = samples

    def score(self, model: Model, step: int) -> dict[str, Any]:
        """Return the mean PSNR and SSIM and what bicubic scores, all under y8, and write the sample picture."""
        restored, _ = score_pair(model, self._pairs[0])
        picture = _picture(self._pairs[0], restored)
        write_photo(self._samples / f"step_{step:08d}.png", Photo((picture * 255).round().astype(np.uint8)))
        scores = score(model, self._pairs)["y8"]
        return {**scores.mean, "bicubic_psnr": scores.bicubic["psnr"]}

    def card(self, model: Model) -> list[dict[str, Any]]:
        """Return what a weight file's card says of scores: data, protocol, mean and bicubic's mean."""
        records = [scores.record() for scores in score(model, self._pairs, protocols=PROTOCOLS).values()]
        photos = {"data": self.name, "photos": self._photos, "pairs": len(self._pairs)}
        return [photos | {key: record[key] for key in ("protocol", "mean", "bicubic")} for record in records]


def _picture(pair: Pair, restored: np.ndarray) -> np.ndarray:
    """Return the middle of bicubic, restored and sharp photo, side by side, (H, 3 W, C) in [0, 1]."""
    panels = (resize(pair.lr, pair.scale), restored, pair.hr)
    side = min(PANEL, *pair.hr.shape[:2])
    return round_to_levels(np.concatenate([center_crop(panel, side, side) for panel in panels], axis=1))
