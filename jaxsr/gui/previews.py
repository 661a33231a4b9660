"""What the page shows of a result: photo and result in one size, the rounds, the kernels."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from jaxsr.api.comparisons.comparison_layers import kernels_of
from jaxsr.api.restorers import NetworkRestorer
from jaxsr.data.images import Photo, photo_size, read_photo
from jaxsr.gui.photo_jobs import PhotoResult
from jaxsr.imaging.pixels import to_8_bit
from jaxsr.weights.formats import read_tensors

MAX_SIDE = 2048  # of a preview in pixels; the file to keep has them all
THUMBNAIL_SIDE = 480
ANY_SIZE = sys.maxsize  # pixels of a photo that is read: the page has its own bound, which was checked

Captioned = tuple[str, str]  # a picture's file, and what is written below it


def slider_pictures(result: PhotoResult) -> tuple[str, str]:
    """Return two PNG files of 8 bits and one size: the photo enlarged by bicubic, and the result."""
    photo, restored = (read_photo(path, max_pixels=ANY_SIZE) for path in (result.photo, result.output))
    height, width = restored.pixels.shape[:2]
    size = _within(width, height, MAX_SIDE)
    folder = result.output.parent / "previews"
    folder.mkdir()
    return _save(photo, size, folder / "before.png"), _save(restored, size, folder / "after.png")


def thumbnail(path: Path, folder: Path) -> str:
    """Return a small PNG file, in `folder`, of the photo in the file `path`, which browsers may not know."""
    photo = read_photo(path, max_pixels=ANY_SIZE)
    height, width = photo.pixels.shape[:2]
    return _save(photo, _within(width, height, THUMBNAIL_SIDE), folder / "thumbnail.png")


def round_pictures(result: PhotoResult) -> list[Captioned]:
    """Return the image of each round, with its number."""
    return [(str(path), f"Round {i}") for i, path in enumerate(result.rounds, start=1)]


def kernel_pictures(result: PhotoResult) -> list[Captioned]:
    """Return pictures of the kernels that were estimated, of each round where there are several."""
    arrays = [path for path in result.kernel_files if path.suffix == ".npz"]
    if not arrays or not isinstance(result.restorer, NetworkRestorer):
        return [(str(path), "Kernel estimated") for path in result.kernel_files if path.suffix == ".png"]
    pictures = []
    for i, picture in enumerate(kernels_of(result.restorer.model, read_tensors(arrays[0])), start=1):
        path = result.output.parent / "previews" / f"kernel-{i}.png"
        path.write_bytes(picture.png)
        pictures.append((str(path), f"Round {i}"))
    return pictures


def summary(result: PhotoResult) -> str:
    """Return what was made from which photo, how large it is, and how long that took."""
    (height, width), (before_height, before_width) = (
        photo_size(path, max_pixels=ANY_SIZE) or (0, 0) for path in (result.output, result.photo)
    )
    return (
        f"{result.output.name}: {before_width} × {before_height} to {width} × {height} pixels by "
        f"{result.restorer.name} in {result.seconds:.1f} seconds"
    )


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    """Return width and height in proportion, neither above `side`."""
    factor = min(1.0, side / max(width, height))
    return max(round(width * factor), 1), max(round(height * factor), 1)


def _save(photo: Photo, size: tuple[int, int], path: Path) -> str:
    """Return `path`, where a PNG file of `photo` resized to `size` (W, H) is written, with its colour profile."""
    pixels = photo.pixels if photo.alpha is None else np.concatenate([photo.pixels, photo.alpha], axis=-1)
    levels = to_8_bit(pixels)
    image = Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
    image.resize(size, Image.Resampling.BICUBIC).save(path, icc_profile=photo.icc_profile or None)
    return str(path)
