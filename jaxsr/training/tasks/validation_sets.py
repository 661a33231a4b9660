"""The pairs that models are scored on while training, from photos that are never trained on."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from jaxsr.data.samples import folder_photos, sample_photos
from jaxsr.degradations.table import degradation_of
from jaxsr.evaluation.pairs import Pair, PairOptions, make_pairs
from jaxsr.restoration.options import RestoreOptions
from jaxsr.training.config import Config

PROTOCOLS = ("y8", "rgb")


@dataclasses.dataclass(frozen=True)
class ValidationSet:
    """What `config.data.validation` comes to.

    Attributes:
        pairs: of the network's input and the HR photo.
        photos: the number of photos that the pairs were made of.
        protocols: the first one's scores are logged; those of all go into the weight file's card.
        options: for each pair how it is restored, such as by which references; empty for the defaults.
    """

    pairs: Sequence[Pair]
    photos: int
    protocols: tuple[str, ...]
    options: Sequence[RestoreOptions] = ()


def validation_photos(config: Config) -> Mapping[str, np.ndarray]:
    """Return the photos (H, W, 3) uint8 of `config.data.validation` by name."""
    name = config.data.validation
    return sample_photos("validation") if name == "samples" else folder_photos(name)


def degraded_photos(config: Config) -> ValidationSet:
    """Return the photos of `config.data.validation`, degraded as the training's are."""
    photos = validation_photos(config)
    row, _ = degradation_of(config.data.degradation, config.model.scale)
    size = config.data.kernel_size if row.draw is not None else None
    options = PairOptions(row.validated_on or config.data.degradation, size)
    return ValidationSet(pairs_of(photos, config.model.scale, options), len(photos), PROTOCOLS)


def pairs_of(photos: Mapping[str, np.ndarray], scale: int, options: PairOptions) -> list[Pair]:
    """Return the pairs that are made of `photos`, by name."""
    return [pair for name, pixels in photos.items() for pair in make_pairs(name, pixels, scale, options)]
