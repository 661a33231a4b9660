"""Photos to train on without a download: scikit-image's bundled ones, and folders of the user's own."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from absl import logging

from jaxsr.data.images import read_pixels
from jaxsr.data.listing import list_photos
from jaxsr.imaging.pixels import to_8_bit, to_rgb
from jaxsr.support.errors import UserError, choose
from jaxsr.support.messages import first_few

# Licences as scikit-image states them. Left out: grey photos, drawings, the flat hubble_deep_field and retina.
SAMPLES = {
    "train": (
        "astronaut.png",  # NASA, public domain
        "ihc.png",  # CMMI, no known copyright restrictions
        "motorcycle_left.png",  # Middlebury 2014 stereo benchmark
        "motorcycle_right.png",
        "rocket.jpg",  # SpaceX, public domain
    ),
    "validation": (
        "chelsea.png",  # CC0, Stefan van der Walt
        "coffee.png",  # CC0, Rachel Michetti
    ),
}


def sample_photos(split: str) -> dict[str, np.ndarray]:
    """Return {stem: photo (H, W, 3) uint8} of a split, "train" or "validation", which share no scene.

    Raises UserError for another split.
    """
    return {path.stem: to_training_pixels(read_pixels(path)) for path in sample_files(split)}


def sample_files(split: str) -> list[Path]:
    """Return the files of the photos of a split, "train" or "validation"; raises UserError for another split."""
    names = choose("split of the sample photos", split, SAMPLES)
    spec = importlib.util.find_spec("skimage")  # located, not imported: only its files are needed
    assert spec is not None and spec.origin is not None
    return [Path(spec.origin).parent / "data" / name for name in names]


def folder_photos(folder: str | Path) -> dict[str, np.ndarray]:
    """Return {file name: photo (H, W, 3) uint8} of the photos in `folder`, or of those that a pattern matches.

    Of several with one name, in several folders, the later ones have their whole path. Unreadable photos are left out
    and named in a warning. Raises UserError if none is readable.
    """
    photos, failures = {}, []
    for path in list_photos([folder]):
        try:
            photos[path.name if path.name not in photos else str(path)] = to_training_pixels(read_pixels(path))
        except UserError as error:
            failures.append(str(error))
    if not photos:
        raise UserError(f"no readable photo in {folder}; the first failure: {failures[0]}")
    if failures:
        logging.warning("left out %d unreadable photos: %s", len(failures), first_few(failures, separator="; "))
    return photos


def warn_too_small(sizes: Mapping[str, tuple[int, int]], side: int, *, also: str = "") -> None:
    """Warn in one line of photos of `sizes` {name: (height, width)} that are left out, and what is left out `also`."""
    if not sizes and not also:
        return
    what = listed_sizes(sizes, side) if sizes else ""
    logging.warning(
        "left out %s; a crop with its context needs %d: use larger photos or a smaller --config.data.patch",
        " and ".join(part for part in (what, also) if part),
        side,
    )


def listed_sizes(sizes: Mapping[str, tuple[int, int]], side: int) -> str:
    """Return how many photos of `sizes` {name: (height, width)} have fewer than `side` pixels a side, and the first."""
    named = [f"{name} ({width}x{height})" for name, (height, width) in sizes.items()]
    photos = "photo" if len(sizes) == 1 else "photos"
    return f"{len(sizes)} {photos} of fewer than {side} pixels a side: {first_few(named)}"


def to_training_pixels(pixels: np.ndarray) -> np.ndarray:
    """Return photo `pixels` (H, W, 1 or 3) of 8 or 16 bits as RGB (H, W, 3) uint8; grey is repeated."""
    return to_rgb(to_8_bit(pixels))
