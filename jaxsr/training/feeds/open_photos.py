"""The feed of photos by name: the samples, folders, or a prepared data set."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from absl import logging

from jaxsr.data.blurred_pairs import folder_pairs
from jaxsr.data.listing import is_data_set
from jaxsr.data.samples import folder_photos, sample_photos
from jaxsr.support.errors import UserError
from jaxsr.support.paths import user_path
from jaxsr.support.types import Device
from jaxsr.training.config import Config
from jaxsr.training.feeds.feed import Feed
from jaxsr.training.feeds.resident_feed import ResidentFeed
from jaxsr.training.feeds.stream_feed import StreamFeed

RESIDENT_LIMIT = 1 << 30  # bytes of photos that may live on each device

NamedPhotos = Iterable[tuple[str, np.ndarray]]


def open_photos(config: Config, crop: int, devices: list[Device]) -> Feed:
    """Return the feed of `config.data.train`, whose crops are (N, crop, crop, 3) uint8.

    Those are the samples, folders of photos, or one prepared data set. Raises UserError where there are none, or too
    many for the devices.
    """
    return _open("train", config, crop, devices)


def open_pairs(config: Config, crop: int, devices: list[Device]) -> Feed:
    """Return the feed of `config.data.pairs`, whose crops are (N, crop, crop, 6) uint8: HR, then blurred.

    Those are folders with `blur` and `sharp`, or one data set prepared from such. Raises UserError as `open_photos`.
    """
    return _open("pairs", config, crop, devices)


def names_listed(text: str) -> list[str]:
    """Return the comma-separated names in `text`, without the spaces around them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def names_in(config: Config, field: str) -> list[str]:
    """Return the comma-separated names in `config.data[field]`, `~` expanded; raises UserError where there are none."""
    names = [str(user_path(name)) for name in names_listed(config.data[field])]
    if not names:
        raise UserError(f'data.{field} is empty; name folders of photos, a prepared data set, or "samples"')
    return names


def _open(field: str, config: Config, crop: int, devices: list[Device]) -> Feed:
    names, blurred = names_in(config, field), field == "pairs"
    if len(names) == 1 and is_data_set(names[0]):
        from jaxsr.data.builder import open_source  # TFDS takes seconds to import

        _warn_of_rescale(names[0], config.data.rescale)
        source = open_source(names[0], blurred=blurred)
        return StreamFeed(source, config, crop, devices, fields=("hr", "blur") if blurred else ("hr",))
    photos = _read_all(field, names, folder_pairs if blurred else _photos_of)
    return ResidentFeed(photos, config, crop, devices)


def _warn_of_rescale(name: str, factors: Sequence[float]) -> None:
    """Say so where the config asks for reduced copies, which a data set has from its preparation or not at all."""
    if tuple(factors) != (1.0,):
        logging.warning(
            "data.rescale=%s does not apply to the prepared data set %s, whose photos keep the sizes they were "
            "prepared at; python -m jaxsr.prepare_data --rescale=%s makes one of these sizes",
            *(tuple(factors), name, ",".join(map(str, factors))),
        )


def _read_all(field: str, names: list[str], read: Callable[[str], NamedPhotos]) -> dict[str, np.ndarray]:
    """Return the photos that `read` yields of each of `names`; raises UserError when they exceed RESIDENT_LIMIT.

    And for a prepared data set, which is streamed and cannot be mixed with photos.
    """
    if prepared := [name for name in names if is_data_set(name)]:
        raise UserError(
            f"data.{field} names the prepared data set {prepared[0]} beside others; name it alone, or make one of all "
            f"photos: python -m jaxsr.prepare_data FOLDER... --output=DIR"
        )
    photos: dict[str, np.ndarray] = {}
    total = 0
    for name in names:
        for photo, pixels in read(name):
            photos[f"{name}/{photo}"] = pixels
            total += pixels.size
            if total > RESIDENT_LIMIT:
                raise UserError(
                    f"the photos of data.{field} exceed the {RESIDENT_LIMIT / 2**30:.0f} GiB kept on a device; "
                    f"make a streamed data set of them: python -m jaxsr.prepare_data {' '.join(names)} --output=DIR"
                )
    return photos


def _photos_of(name: str) -> NamedPhotos:
    return (sample_photos("train") if name == "samples" else folder_photos(name)).items()
