"""Scores and a sample picture while training, on photos that are never trained on."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsr.data.blurred_pairs import holds_pairs
from jaxsr.data.images import Photo, write_photo
from jaxsr.data.samples import folder_photos, sample_photos
from jaxsr.evaluation.folders import reference_sources
from jaxsr.evaluation.paired_sets import read_set
from jaxsr.evaluation.pairs import PILLOW, Pair, make_pairs, shaken_pair
from jaxsr.evaluation.scoring import score, score_pair
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.patches import center_crop
from jaxsr.models import Model
from jaxsr.restoration.reference.preparation import LAYERS, read_references
from jaxsr.training.config import Config
from jaxsr.weights.vgg_files import load_vgg

PROTOCOLS = ("y8", "rgb")  # the first is the one that is logged
DEBLURRING = ("rgb",)
VALIDATION_LEVEL = "1"  # of references: the most similar one
PANEL, ROWS = 320, 4  # pixels of a panel of the sample pictures, and how many photos these show


class Validation:
    """The photos of `config.data.validation`, and how models score on them."""

    def __init__(self, config: Config, samples: Path):
        """Read the photos; sample pictures go to the folder `samples`."""
        self.name = config.data.validation
        self._protocols = PROTOCOLS if config.model.scale > 1 else DEBLURRING
        if config.data.references:
            self._pairs, self._options = _guided_pairs(config)
            self._photos = len(self._pairs)
        else:
            self._pairs, self._photos = _pairs_of(config)
            self._options = [{}] * len(self._pairs)
        self._samples = samples

    def score(self, model: Model, step: int) -> dict[str, Any]:
        """Return the mean PSNR and SSIM and the baseline's PSNR, and write the grid of samples.

        The baseline is bicubic under y8, or when deblurring the blurred photo under rgb ("input_psnr").
        """
        every, protocols = -(-len(self._pairs) // ROWS), self._protocols[:1]
        shown, options = self._pairs[::every], self._options[::every]
        picture = _grid(
            shown, [score_pair(model, pair, protocols, **more)[0] for pair, more in zip(shown, options, strict=True)]
        )
        write_photo(self._samples / f"step_{step:08d}.png", Photo((picture * 255).round().astype(np.uint8)))
        (scores,) = score(model, self._pairs, protocols=protocols, options=self._options).values()
        return {**scores.mean, f"{scores.baseline_name}_psnr": scores.baseline["psnr"]}

    def card(self, model: Model) -> list[dict[str, Any]]:
        """Return what a weight file's card says of scores: data, protocol, mean and the baseline's mean."""
        each = score(model, self._pairs, protocols=self._protocols, options=self._options).values()
        photos = {"data": self.name, "photos": self._photos, "pairs": len(self._pairs)}
        return [photos | {key: x.record()[key] for key in ("protocol", "mean", x.baseline_name)} for x in each]


def _pairs_of(config: Config) -> tuple[list[Pair], int]:
    """Return the pairs of `config.data.validation` and how many photos they are of.

    When deblurring they are read from `blur` and `sharp`, or the photos are blurred by the training's kind of shake.
    """
    data, scale = config.data, config.model.scale
    if scale == 1 and data.validation != "samples" and holds_pairs(data.validation):
        pairs = [pair for source in read_set(data.validation).sources for pair in source.pairs(scale)]
        return pairs, len(pairs)
    photos = sample_photos("validation") if data.validation == "samples" else folder_photos(data.validation)
    if scale == 1:
        shake = {"kernel_size": data.kernel_size, "exposures": data.exposures, "anxieties": data.anxieties}
        return [shaken_pair(name, pixels, **shake) for name, pixels in photos.items()], len(photos)
    options = {"degradation": data.degradation, "kernel_size": data.kernel_size}
    made = [pair for name, pixels in photos.items() for pair in make_pairs(name, pixels, scale, **options)]
    return made, len(photos)


def _guided_pairs(config: Config) -> tuple[list[Pair], list[dict[str, Any]]]:
    """Return the pairs of `config.data.validation`, and what SRNTT needs for each: its references and VGG19."""
    vgg = load_vgg(LAYERS, config.perceptual.weights, key=jax.random.key(config.seed))
    sources = reference_sources(config.data.validation, VALIDATION_LEVEL)
    pairs = [pair for source in sources for pair in source.pairs(config.model.scale, degradation=PILLOW)]
    return pairs, [{"reference": read_references(source.references), "vgg": vgg} for source in sources]


def _grid(pairs: list[Pair], restored: list[np.ndarray]) -> np.ndarray:
    """Return a row for each pair, (rows H, 3 H, C) in [0, 1]: the middles of enlarged or blurred, restored, sharp."""
    side = min(PANEL, *(length for pair in pairs for length in pair.hr.shape[:2]))
    panels = [(pair.enlarged, found, pair.hr) for pair, found in zip(pairs, restored, strict=True)]
    rows = [np.concatenate([center_crop(panel, side, side) for panel in row], axis=1) for row in panels]
    return round_to_levels(np.concatenate([_coloured(row) for row in rows]))


def _coloured(image: np.ndarray) -> np.ndarray:
    """Return `image` (H, W, 1 or 3) as RGB: rows of grey and of colour have one shape."""
    return np.broadcast_to(image, (*image.shape[:2], 3))
