"""Photos in and out: any common image file to (H, W, C) levels and back, with bit depth, alpha and metadata."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from absl import logging

from jaxsr.data.codecs.photo_formats import HEADER, VIPS, PhotoFormat, format_of
from jaxsr.data.codecs.photo_record import MAX_PIXELS, NO_METADATA, Metadata, Photo
from jaxsr.data.codecs.vips_reader import read_size, read_vips
from jaxsr.data.codecs.vips_writer import QUALITY, check_alpha, encode, writable_format
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole

__all__ = [
    "MAX_PIXELS",
    "NO_METADATA",
    "QUALITY",
    "Metadata",
    "Photo",
    "check_writable",
    "photo_size",
    "read_photo",
    "read_pixels",
    "write_photo",
]


def read_photo(path: str | os.PathLike, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Return the photo in the file `path`, upright (its orientation applied), with 8 or 16 bits as stored.

    Palettes become RGB, CMYK becomes RGB by its profile, 1 bit becomes 8. Of an animation or a file with several pages
    the first image is taken. A warning is logged for whatever was left out: other images, broken metadata, up to a
    thousandth of the pixels where the end of a JPEG file is missing. Raises UserError for a file that is missing,
    truncated, no image, declares more than `max_pixels` pixels, or has neither 8 nor 16 bits per channel.
    """
    path = Path(path)
    with _named_errors(path), path.open("rb") as file:
        form = _format(file)
        if form.reader == VIPS:
            photo, notes = read_vips(file, form, max_pixels)
        else:
            from jaxsr.data.codecs.pillow_photos import read_pillow  # seldom needed

            photo, notes = read_pillow(file, form, max_pixels)
    _log(path, notes)
    return photo


def read_pixels(path: str | os.PathLike) -> np.ndarray:
    """Return the pixels (H, W, C) of the file `path` without alpha; otherwise as `read_photo`."""
    return read_photo(path).pixels


def photo_size(path: str | os.PathLike, *, max_pixels: float = MAX_PIXELS) -> tuple[int, int] | None:
    """Return (height, width) of the upright photo in the file `path`, read from its header.

    None if that fails, or for more than `max_pixels` pixels: `read_photo` reports what is wrong with it.
    """
    try:
        with Path(path).open("rb") as file:
            form = _format(file)
            if form.reader == VIPS:
                height, width = read_size(file, form)
            else:
                from jaxsr.data.codecs.pillow_photos import read_pillow_size

                height, width = read_pillow_size(file, form)
    except (UserError, OSError, ValueError):
        return None
    return (height, width) if height * width <= max_pixels else None


def check_writable(
    path: str | os.PathLike, size: tuple[int, int] | None = None, *, transparent: bool = False, depth: int = 8
) -> None:
    """Raise UserError unless `write_photo` can write what is said of a photo in the format of the suffix of `path`.

    `size` is (H, W), `transparent` says whether there are transparent pixels, `depth` how many bits must be kept.
    """
    form = writable_format(path, size)
    check_alpha(form, transparent=transparent)
    if depth > 8 and not form.deep:
        raise UserError(f"{form.name} holds 8 bits per channel, not {depth}; write .png or .tif")


def write_photo(path: str | os.PathLike, photo: Photo, *, quality: int = QUALITY) -> None:
    """Write `photo` to `path` in the format of its suffix, whole or not at all, with alpha, profile and metadata.

    PNG and TIFF keep 16 bits; JPEG and AVIF (of `quality` 1 to 100, chroma not subsampled) and WebP (lossless) store 8.
    A warning is logged for metadata that the format has no place for. The file is encoded in memory, so that it is
    either complete or not there. Raises UserError for an unknown suffix, for a photo with transparency as JPEG, for
    more pixels than the format holds, and where the file cannot be written, as on a full disk.
    """
    parts, notes = encode(photo, writable_format(path, photo.pixels.shape[:2]), quality)
    try:
        with written_whole(path) as temporary:
            _write_parts(temporary, parts)
    except OSError as error:
        raise UserError(
            f"cannot write {path} ({error.strerror or error}); free space or choose another folder"
        ) from None
    _log(Path(path), notes)


def _write_parts(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    """Write `parts` to the file `path`, and have the disk confirm it."""
    with path.open("wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
    if path.stat().st_size != sum(map(len, parts)):
        raise OSError(f"only {path.stat().st_size} bytes were written")


def _format(file: BinaryIO) -> PhotoFormat:
    return format_of(file.read(HEADER))


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Raise errors of opening and decoding as UserError with the name of the file."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except FileNotFoundError:
        reason = "it is a link to a file that is not there" if path.is_symlink() else "no such file"
        raise UserError(f"{path}: {reason}; check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, not a photo; name a file in it") from None
    except OSError as error:
        raise UserError(f"{path}: unreadable ({error.strerror or error}); check the file") from None
    except MemoryError:
        raise UserError(f"{path}: does not fit into memory; make it smaller") from None


def _log(path: Path, notes: Sequence[str]) -> None:
    if notes:
        logging.warning("%s: %s", path, "; ".join(notes))
