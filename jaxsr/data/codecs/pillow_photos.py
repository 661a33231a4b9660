"""PIL images as photos and back, and the files that Pillow or pillow-heif decodes: BMP, PNM, JPEG 2000 and HEIC."""

import contextlib
import io
import math
import os
import warnings
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxsr.data.codecs.photo_formats import HEIF, PhotoFormat
from jaxsr.data.codecs.photo_record import UPRIGHT, Metadata, Photo, check_backed, check_size, photo_of_bands
from jaxsr.data.codecs.tag_blocks import EXIF_MARKER, orientation_in, read_tags, upright_xmp
from jaxsr.data.codecs.tag_writer import exif_block
from jaxsr.support.errors import UserError

IMAGE_MODES = ("1", "P", "PA", "L", "LA", "La", "RGB", "RGBA", "RGBa", "I;16", "I;16B")
FILE_MODES = (*IMAGE_MODES, "RGBX", "CMYK", "YCbCr")
NUMBER_MODES = ("I", "F", "I;16L", "I;16N")
_INCH = 25.4  # millimetres
_HEADER_OF_JPEG_2000 = 1 << 20  # bytes in which the codestream begins, behind a colour profile


def photo_of_image(
    image: Image.Image, *, modes: tuple[str, ...] = IMAGE_MODES, bands: np.ndarray | None = None
) -> Photo:
    """Return the photo in a PIL image: upright, with its transparency, colour profile, EXIF, XMP and resolution.

    Its pixels are `bands`, where these are given. Raises UserError for a mode that is not among `modes`, and for an
    image that cannot be decoded.
    """
    if image.mode not in modes:
        raise UserError(f"cannot take a PIL image of mode {image.mode}; {_remedy(image.mode)}")
    try:
        image.load()  # Pillow turns TIFF itself
    except OSError as error:
        raise UserError(f"unreadable ({' '.join(str(error).split())}); copy the file again") from None
    block, xmp = _exif_of(image), _bytes(image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"))
    tags = read_tags(io.BytesIO(block))
    metadata = Metadata(
        exif=exif_block(tags) if tags else b"",
        xmp=upright_xmp(xmp),
        resolution=_resolution_of(image.info.get("dpi")),
    )
    orientation = UPRIGHT if getattr(image, "format", "") in ("TIFF", "AVIF", "HEIF") else orientation_in(tags, xmp)
    bands = _array_of(image) if bands is None else bands
    return photo_of_bands(bands, orientation, image.info.get("icc_profile"), metadata)


def _remedy(mode: str) -> str:
    """Return what to do with an image of that mode; Pillow's `convert` would clip numbers to 8 bits: black or white."""
    if mode in NUMBER_MODES:
        return "give its numbers as an array, uint16 or float in [0, 1], made of np.asarray(image)"
    return "convert it: image.convert('RGB')"


def image_of_photo(photo: Photo) -> Image.Image:
    """Return `photo` as a PIL image with its colour profile, EXIF, XMP and resolution in `info`.

    Raises UserError for 16 bits with colour or alpha, which PIL images do not hold.
    """
    bands = photo.bands
    if photo.depth == 16 and bands.shape[-1] > 1:
        raise UserError("a PIL image holds no 16-bit colour or alpha; give the path, or an array")
    image = Image.fromarray(bands[..., 0] if bands.shape[-1] == 1 else bands)
    metadata, tags = photo.metadata, read_tags(io.BytesIO(photo.metadata.exif))
    said = {
        "icc_profile": photo.icc_profile,
        "exif": tags and EXIF_MARKER + exif_block(tags, image.size),
        "xmp": metadata.xmp,
        "dpi": metadata.resolution and tuple(side * _INCH for side in metadata.resolution),
    }
    image.info.update({name: value for name, value in said.items() if value})
    return image


def read_pillow(file: BinaryIO, form: PhotoFormat, max_pixels: int) -> tuple[Photo, list[str]]:
    """Return the photo in `file`, and what there is to say of it; raises UserError if it cannot be decoded."""
    with _opened(file, form) as image:
        check_size(*image.size, max_pixels)
        check_backed(image.width * image.height * len(image.getbands()), file.seek(0, os.SEEK_END), form.max_ratio)
        notes = ["holds several images; the first is taken"] if getattr(image, "n_frames", 1) > 1 else []
        modes = (*FILE_MODES, "I") if form.name == "PNM" else FILE_MODES  # 16-bit grey
        if image.mode not in modes or _deeper_than_its_mode(file, image):
            raise UserError(f"has {form.name} samples that cannot be read at their depth; save it as PNG or TIFF")
        return photo_of_image(image, modes=modes, bands=_deep_heif(file, image)), notes


def read_pillow_size(file: BinaryIO, form: PhotoFormat) -> tuple[int, int]:
    """Return (height, width) of the photo in `file`, from its header."""
    with _opened(file, form) as image:
        return image.height, image.width


@contextlib.contextmanager
def _opened(file: BinaryIO, form: PhotoFormat) -> Iterator[Image.Image]:
    """Yield the PIL image in `file`, without Pillow's limit of pixels and its warnings about odd metadata."""
    if form.reader == HEIF:
        _register_heif()
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(file) as image:
                yield image
    except UnidentifiedImageError:
        raise UserError(f"unreadable (no whole {form.name} header); copy the file again") from None
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"unreadable ({' '.join(str(error).split())}); copy the file again") from None
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _register_heif() -> None:
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]  # an extra
    except ImportError:
        raise UserError("HEIC files are read by pillow-heif; install it: pip install 'jaxsr[heic]'") from None
    pillow_heif.register_heif_opener()


def _deep_heif(file: BinaryIO, image: Image.Image) -> np.ndarray | None:
    """Return the bands (H, W, 3 or 4) uint16 of a HEIC file with more than 8 bits, which its PIL image lacks."""
    if image.format != "HEIF" or image.info.get("bit_depth", 8) <= 8:
        return None
    import pillow_heif  # pyright: ignore[reportMissingImports]

    file.seek(0)
    return np.asarray(pillow_heif.open_heif(file, convert_hdr_to_8bit=False))


def _array_of(image: Image.Image) -> np.ndarray:
    """Return the bands (H, W) or (H, W, 2 to 4) of `image`, 16 bits for 16-bit grey, otherwise 8."""
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.uint16)  # also swaps big-endian samples
        key = image.info.get("transparency")
        return grey if key is None else np.stack([grey, np.where(grey == key, 0, 65535).astype(np.uint16)], axis=-1)
    colour = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    return np.asarray(image.convert(colour + "A" * image.has_transparency_data))


def _deeper_than_its_mode(file: BinaryIO, image: Image.Image) -> bool:
    """Return whether Pillow would keep only the high bits of samples, as of 16-bit colour in PNM and JPEG 2000."""
    if image.mode not in ("RGB", "RGBA", "L", "LA", "YCbCr"):
        return False
    if image.format == "PPM":
        layout = next(iter(getattr(image, "tile", []))).args  # a mode, or a mode and the largest sample
        return isinstance(layout, tuple) and layout[-1] > 255
    return image.format == "JPEG2000" and _bits_of_jpeg_2000(file) > 8


def _bits_of_jpeg_2000(file: BinaryIO) -> int:
    """Return the bits per sample that the marker SIZ of the codestream says, of the deepest component."""
    file.seek(0)
    header = file.read(_HEADER_OF_JPEG_2000).partition(b"\xff\x4f\xff\x51")[2]
    components = int.from_bytes(header[36:38], "big")
    return max(((bits & 127) + 1 for bits in header[38 : 38 + 3 * components : 3]), default=0)


def _exif_of(image: Image.Image) -> bytes:
    """Return the EXIF block of `image`; for a TIFF file one of its tags."""
    block = _bytes(image.info.get("exif"))
    if not block and image.format == "TIFF":
        with contextlib.suppress(Exception):  # Pillow raises errors of many kinds on odd tags
            block = image.getexif().tobytes()
    return block.removeprefix(EXIF_MARKER)


def _resolution_of(dpi: object) -> tuple[float, float] | None:
    """Return pixels per millimetre, or None where `dpi` are not two finite numbers above 0; a file may say 1/0."""
    try:
        x, y = (float(side) / _INCH for side in dpi)  # pyright: ignore[reportGeneralTypeIssues]  # may be anything
    except (TypeError, ValueError):
        return None
    return (x, y) if 0 < x < math.inf and 0 < y < math.inf else None


def _bytes(value: bytes | str | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
