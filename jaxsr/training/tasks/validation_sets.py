"""The pairs that models are scored on while training, from photos that are never trained on."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from absl import logging

from jaxsr.data.listing import is_data_set
from jaxsr.data.samples import folder_photos, sample_photos
from jaxsr.degradations.table import degradation_of
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.pairs import Pair, make_pairs
from jaxsr.imaging.pixels import to_levels
from jaxsr.restoration.options import RestoreOptions
from jaxsr.support.errors import UserError
from jaxsr.support.messages import first_few
from jaxsr.support.paths import user_path
from jaxsr.support.types import Record
from jaxsr.training.config import Config

PROTOCOLS = ("y8", "rgb")


@dataclasses.dataclass(frozen=True)
class ValidationSet:
    """What `config.data.validation` comes to.

    Attributes:
        pairs: of the network's input and the HR photo.
        photos: the number of photos that the pairs were made from.
        protocols: the first one's scores are logged; those of all go into the weight file's card.
        options: for each pair how it is restored, such as by which references; empty for the defaults.
    """

    pairs: Sequence[Pair]
    photos: int
    protocols: tuple[str, ...]
    options: Sequence[RestoreOptions] = ()


def validation_photos(config: Config) -> Mapping[str, np.ndarray]:
    """Return the photos (H, W, 3) uint8 of `config.data.validation` by name.

    Those of a prepared data set are the sub-images of its split "validation". Raises UserError where there are none.
    """
    name = validation_name(config)
    if name == "samples":
        return sample_photos("validation")
    if is_data_set(name):
        return {name: record["hr"] for name, record in named_records(prepared_records(name))}
    return folder_photos(name)


def validation_name(config: Config) -> str:
    """Return `config.data.validation`: "samples", or a path with `~` expanded; raises UserError where it is empty."""
    if not config.data.validation:
        raise UserError('data.validation is empty; name a folder of photos, a prepared data set, or "samples"')
    return str(user_path(config.data.validation))


def prepared_records(folder: str, *, blurred: bool = False) -> Sequence[Record]:
    """Return the records of the split "validation" of a data set, as `open_source` does; raises UserError likewise."""
    from jaxsr.data.builder import open_source  # TFDS takes seconds to import

    return open_source(folder, "validation", blurred=blurred)


def named_records(records: Sequence[Record]) -> Iterator[tuple[str, Record]]:
    """Yield each of `records` with its name; where several have the same one, the later ones get their number after it.

    Those of photos of one name in two folders do; records of other makers than prepare_data may have no name at all.
    """
    seen = set()
    for i in range(len(records)):
        record = records[i]
        name = bytes(record.get("name", b"record")).decode()
        name = f"{name}_{i}" if name in seen else name
        seen.add(name)
        yield name, record


def degraded_photos(config: Config) -> ValidationSet:
    """Return the photos of `config.data.validation`, degraded as the training's are.

    Those of bicubic are not rounded, whatever `data.quantize_lr` says, as in `evaluate`.
    """
    photos = validation_photos(config)
    row, _ = degradation_of(config.data.degradation, config.model.scale)
    size = config.data.kernel_size if row.draw is not None else None
    options = PairOptions(row.validated_on or config.data.degradation, size)
    return ValidationSet(*pairs_of(photos, config.model.scale, options), PROTOCOLS)


def pairs_of(photos: Mapping[str, np.ndarray], scale: int, options: PairOptions) -> tuple[list[Pair], int]:
    """Return the pairs that are made from `photos`, by name, and from how many of them.

    Photos that are too small or flat are left out and named in a warning. Raises UserError where no other is left.
    """
    pairs, failures = [], []
    for name, pixels in photos.items():
        try:
            made = make_pairs(name, pixels, scale, options)
            _check_detail(name, pixels)
            pairs.extend(made)
        except UserError as error:
            failures.append(str(error))
    if failures and not pairs:
        raise UserError(f"data.validation: {failures[0]}")
    if failures:
        named = first_few(failures, separator="; ")
        logging.warning("data.validation: left out %d of %d photos: %s", len(failures), len(photos), named)
    return pairs, len(photos) - len(failures)


def unequal(pairs: Sequence[Pair]) -> list[Pair]:
    """Return those of the given `pairs` whose two photos differ; a warning names the others, whose PSNR is infinite.

    One of them would make the input's mean infinite: see `_check_detail`. Raises UserError where none is left.
    """
    equal = [pair.name for pair in pairs if np.array_equal(to_levels(pair.lr), pair.hr_levels)]
    if len(equal) == len(pairs):
        raise UserError("data.validation: blurred and sharp photos are the same; name a folder of others")
    if equal:
        logging.warning(
            "data.validation: left out %d of %d pairs, blurred and sharp photo are the same: %s",
            *(len(equal), len(pairs), first_few(equal)),
        )
    return [pair for pair in pairs if pair.name not in equal]


def _check_detail(name: str, pixels: np.ndarray) -> None:
    """Raise UserError for a photo (H, W, C) of one colour: bicubic restores it without error, and its PSNR is infinite.

    One of them would make the mean of all infinite, which no network could be held against.
    """
    if not np.ptp(pixels, axis=(0, 1)).any():
        raise UserError(f"{name}: a photo of one colour tells nothing of a network; use one with detail")
