"""Photos in and out: any common image file to (H, W, C) levels and back, with bit depth, alpha and colour profile."""

import contextlib
import dataclasses
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from jaxsr.data.sixteen_bit import is_deep, read_deep, write_deep_png
from jaxsr.imaging.pixels import max_level, to_8_bit
from jaxsr.support.errors import UserError, choose
from jaxsr.support.files import written_whole


@dataclasses.dataclass(frozen=True)
class Photo:
    """`pixels` (H, W, C) uint8 or uint16, C 1 (grey) or 3 (RGB); `alpha` (H, W, 1) of that dtype or None."""

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc_profile: bytes | None = None

    @property
    def depth(self) -> int:
        """Bits per channel: 8 or 16."""
        return self.pixels.dtype.itemsize * 8

    @property
    def bands(self) -> np.ndarray:
        """Pixels and alpha as one array (H, W, 1 to 4)."""
        return self.pixels if self.alpha is None else np.concatenate([self.pixels, self.alpha], axis=-1)


def read_photo(path: str | os.PathLike) -> Photo:
    """Return the photo in the file `path`, upright (EXIF orientation applied), with 8 or 16 bits as stored.

    Palettes become RGB, CMYK becomes RGB without its profile, 1 bit becomes 8. Raises UserError for a file that is
    missing, truncated, not an image, an animation, or has more than 16 bits per channel.
    """
    path = Path(path)
    try:
        with _without_pillow_limits():
            bands, profile = _read_bands(path)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except UnidentifiedImageError:
        raise UserError(f"{path}: not an image of a known kind; give a PNG, JPEG, TIFF, WebP or BMP file") from None
    except Exception as error:  # decoders raise errors of many types on broken files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: unreadable ({reason}); copy the file again") from error
    channels = 3 if bands.shape[-1] > 2 else 1
    alpha = bands[..., channels:] if bands.shape[-1] > channels else None
    if profile and profile[16:20] != (b"RGB " if channels == 3 else b"GRAY"):
        profile = None  # it describes the pixels before conversion, as with CMYK
    return Photo(bands[..., :channels], alpha, profile or None)


def read_pixels(path: str | os.PathLike) -> np.ndarray:
    """Return the pixels (H, W, C) of the file `path` without alpha; otherwise as `read_photo`."""
    return read_photo(path).pixels


def photo_size(path: str | os.PathLike) -> tuple[int, int] | None:
    """Return (height, width) of the upright photo in the file `path`, read from its header; None if that fails."""
    try:
        with _without_pillow_limits(), Image.open(path) as image:
            exif = Image.Image.getexif(image)  # PNG's own method would decode the pixels
            turned = exif.get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
            width, height = (
                image.size[::-1] if turned and image.format != "TIFF" else image.size
            )  # for TIFF Pillow gives the upright size
            return height, width
    except Exception:  # read_photo reports what is wrong with it
        return None


def check_writable(path: str | os.PathLike) -> None:
    """Raise UserError unless `write_photo` can write the format that the suffix of `path` names."""
    choose("photo suffix", Path(path).suffix.lower(), _WRITERS)


def write_photo(path: str | os.PathLike, photo: Photo) -> None:
    """Write `photo` to `path` in the format of its suffix, whole or not at all, with alpha and colour profile.

    PNG and TIFF keep 16 bits; JPEG (quality 95, chroma not subsampled) and WebP (lossless) store 8. Raises UserError
    for an unknown suffix, and for a photo with transparency as JPEG.
    """
    write = choose("photo suffix", Path(path).suffix.lower(), _WRITERS)
    with written_whole(path) as temporary:
        write(temporary, photo)


@contextlib.contextmanager
def _without_pillow_limits() -> Iterator[None]:
    """Let Pillow open photos of any size, and ignore its warnings about odd metadata."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _read_bands(path: Path) -> tuple[np.ndarray, bytes | None]:
    """Return all bands (H, W, 1 to 4), uint8 or uint16, and the ICC profile."""
    with Image.open(path) as image:
        frames = getattr(image, "n_frames", 1)
        if frames > 1 and image.format != "MPO":  # phones store a second view or a depth map as MPO
            raise UserError(f"{path}: holds {frames} frames; save the one to use as a file of its own")
        if image.mode in ("I", "F"):
            raise UserError(f"{path}: has 32 bits per pixel; save it with 8 or 16 bits per channel")
        bands = read_deep(path) if is_deep(image) else _as_array(ImageOps.exif_transpose(image))
        return bands.reshape(*bands.shape[:2], -1), image.info.get("icc_profile")


def _as_array(image: Image.Image) -> np.ndarray:
    """Return the pixels (H, W) or (H, W, 2 to 4) of an image with at most 8 bits per channel, or of 16-bit grey."""
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)  # also swaps big-endian samples
    colour = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    return np.asarray(image.convert(colour + "A" * image.has_transparency_data))


def _write_pillow(path: Path, photo: Photo, **options) -> None:
    """Write `photo` with 8 bits per channel; `options` go to Pillow's save."""
    bands = to_8_bit(photo.bands)
    image = Image.fromarray(bands[..., 0] if bands.shape[-1] == 1 else bands)
    image.save(path, icc_profile=photo.icc_profile, **options)


def _write_png(path: Path, photo: Photo) -> None:
    if photo.depth == 8:
        _write_pillow(path, photo)
    else:
        write_deep_png(path, photo.bands, photo.icc_profile)


def _write_jpeg(path: Path, photo: Photo) -> None:
    if photo.alpha is not None and photo.alpha.min() < max_level(photo.alpha.dtype):
        raise UserError("JPEG holds no transparency; write .png, .tif or .webp")
    _write_pillow(path, dataclasses.replace(photo, alpha=None), quality=95, subsampling=0)


def _write_tiff(path: Path, photo: Photo) -> None:
    import tifffile  # Pillow cannot write 16-bit colour

    bands = photo.bands
    tifffile.imwrite(
        path,
        bands[..., 0] if bands.shape[-1] == 1 else bands,
        photometric="rgb" if photo.pixels.shape[-1] == 3 else "minisblack",
        planarconfig=None if bands.shape[-1] == 1 else "contig",
        extrasamples=None if photo.alpha is None else ["unassalpha"],
        compression="zlib",
        iccprofile=photo.icc_profile,
        metadata=None,
    )


def _write_webp(path: Path, photo: Photo) -> None:
    _write_pillow(path, photo, lossless=True, exact=True)  # exact: keeps the colour of transparent pixels


_WRITERS = {
    ".png": _write_png,
    ".jpg": _write_jpeg,
    ".jpeg": _write_jpeg,
    ".tif": _write_tiff,
    ".tiff": _write_tiff,
    ".webp": _write_webp,
}
