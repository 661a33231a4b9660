"""Photos encoded by libvips, in memory, with their colour profile and metadata."""

import dataclasses
import io
import os
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxsr.data.codecs.photo_formats import WRITTEN, PhotoFormat, suffix_of
from jaxsr.data.codecs.photo_record import GREY_PROFILE, Metadata, Photo
from jaxsr.data.codecs.png_chunks import text_chunk, with_chunks
from jaxsr.data.codecs.tag_blocks import EXIF_MARKER, INCH, MILLIMETRES, read_tags
from jaxsr.data.codecs.tag_writer import exif_block, with_tags
from jaxsr.data.codecs.vips_library import collected_warnings, reason_of, vips
from jaxsr.data.codecs.vips_metadata import iptc_alone, iptc_of_jpeg
from jaxsr.imaging.pixels import max_level, to_8_bit
from jaxsr.support.errors import UserError, choose

if TYPE_CHECKING:
    from pyvips import Image

QUALITY = 95  # of lossy formats, unless the caller says otherwise
MAX_JPEG_SEGMENT = 65450  # bytes of EXIF or of XMP that a JPEG file holds, with room for tags of the resolution
MAX_DENSITY = 65535  # pixels per inch that a JFIF segment holds
SCREEN = 72 / 25.4  # pixels per millimetre that a file says where nothing is known
_EXIF_BY_US = (
    "PNG",
    "JPEG",
    "TIFF",
)  # libvips rewrites EXIF, adding tags that nobody gave, and has no place for it in TIFF
_ALWAYS_COLOUR = ("WebP", "AVIF")  # libvips writes grey photos as RGB there
_KEEP = {False: 1 | 2 | 4 | 8, True: 2 | 4 | 8}  # of libvips' flags: EXIF, XMP, IPTC and the profile
Parts = Sequence[bytes | memoryview]


def writable_format(path: str | os.PathLike, size: tuple[int, int] | None = None) -> PhotoFormat:
    """Return the format that the suffix of `path` names; raises UserError if it has no place for a `size` (H, W)."""
    form = choose("photo suffix", suffix_of(path), WRITTEN)
    if size and max(size) > form.max_side:
        raise UserError(
            f"{form.name} holds at most {form.max_side} pixels a side; got {size[1]} x {size[0]}; write .png or .tif"
        )
    return form


def check_alpha(form: PhotoFormat, *, transparent: bool) -> None:
    """Raise UserError for `transparent` pixels in a format without transparency."""
    if transparent and not form.alpha:
        raise UserError(f"{form.name} holds no transparency; write .png, .tif, .webp or .avif")


def encode(photo: Photo, form: PhotoFormat, quality: int = QUALITY) -> tuple[Parts, list[str]]:
    """Return the parts of a file that holds `photo`, and a line for everything that the format has no place for.

    Raises UserError for transparency in a format without it, and for what the encoder refuses.
    """
    if not form.alpha and photo.alpha is not None:
        check_alpha(form, transparent=bool(photo.alpha.min() < max_level(photo.alpha.dtype)))
        photo = dataclasses.replace(photo, alpha=None)
    metadata, notes = _fitting(photo.metadata, form)
    if form.name in _ALWAYS_COLOUR and photo.icc_profile and photo.icc_profile[16:20] == GREY_PROFILE:
        photo = dataclasses.replace(photo, icc_profile=None)
        notes.append(_note(form, "the colour profile of a grey photo"))
    with collected_warnings() as warnings:
        image = _image(photo, metadata, form)
        try:
            encoded = getattr(image, f"{form.operation}save_buffer")(
                keep=_KEEP[form.name in _EXIF_BY_US], **_options(photo, form, quality)
            )
        except vips().Error as error:
            raise UserError(f"cannot be written as {form.name} ({reason_of(error)}); choose another format") from None
    return _finished(encoded, metadata, photo, form), notes + warnings


def _fitting(metadata: Metadata, form: PhotoFormat) -> tuple[Metadata, list[str]]:
    """Return what of `metadata` has a place in a file of `form`, and a line for what has none."""
    lost: dict[str, str] = {}
    if form.name == "JPEG":
        lost |= {name: name.upper() for name in ("exif", "xmp") if len(getattr(metadata, name)) > MAX_JPEG_SEGMENT}
    if form.name not in ("JPEG", "TIFF") and iptc_alone(metadata.iptc):
        lost["iptc"] = "IPTC"
    if form.name != "PNG" and metadata.comments:
        lost["comments"] = "the text " + ", ".join(repr(keyword) for keyword, _ in metadata.comments)
    if form.name != "PNG" and metadata.colour_chunks:
        names = ", ".join(name.decode() for name, _ in metadata.colour_chunks)
        lost["colour_chunks"] = f"how colours are meant ({names})"
    notes = [_note(form, what) for what in lost.values()]
    return dataclasses.replace(metadata, **{name: type(getattr(metadata, name))() for name in lost}), notes


def _note(form: PhotoFormat, what: str) -> str:
    return f"{form.name} has no place for {what}, which was left out"


def _image(photo: Photo, metadata: Metadata, form: PhotoFormat) -> "Image":
    """Return `photo` as libvips has it; it reads the pixels when it is written."""
    pyvips = vips()
    image = _plain_image(photo.pixels, form)
    if photo.alpha is not None:
        image = image.bandjoin(_plain_image(photo.alpha, form))
    xres, yres = metadata.resolution or (SCREEN, SCREEN)
    names = ("b-w", "srgb") if image.format == "uchar" else ("grey16", "rgb16")
    image = image.copy(interpretation=names[photo.pixels.shape[-1] > 1], xres=xres, yres=yres)
    blobs = {"icc-profile-data": photo.icc_profile, "xmp-data": metadata.xmp}
    if form.name == "JPEG":  # in TIFF libvips writes a quarter of it
        blobs["iptc-data"] = iptc_of_jpeg(metadata.iptc)
    if form.name not in _EXIF_BY_US and metadata.exif:
        blobs["exif-data"] = EXIF_MARKER + metadata.exif
    for name, blob in blobs.items():
        if blob:
            image.set_type(pyvips.GValue.blob_type, name, blob)
    return image


def _plain_image(bands: np.ndarray, form: PhotoFormat) -> "Image":
    """Return `bands` (H, W, C) as libvips has them, with 16 bits if they and the format have those."""
    levels = np.ascontiguousarray(bands if form.deep else to_8_bit(bands))
    height, width, count = levels.shape
    kind = "ushort" if levels.dtype == np.uint16 else "uchar"
    return vips().Image.new_from_memory(levels.data, width, height, count, kind)


def _options(photo: Photo, form: PhotoFormat, quality: int) -> dict[str, str | int | bool]:
    """Return the encoder's options: chroma is not subsampled, WebP keeps the colour of transparent pixels."""
    return {
        "PNG": {"compression": 6, "filter": "paeth"},
        "JPEG": {"Q": quality, "subsample_mode": "off"},
        "TIFF": {
            "compression": "deflate",
            "predictor": "horizontal",
            "resunit": "inch",
            "bigtiff": photo.bands.nbytes > 2**31,
        },
        "WebP": {"lossless": True, "exact": True},
        "AVIF": {"Q": quality, "compression": "av1", "subsample_mode": "off", "bitdepth": 8},
    }[form.name]


def _finished(encoded: bytes, metadata: Metadata, photo: Photo, form: PhotoFormat) -> Parts:
    """Return the parts of a file: `encoded` with what libvips does not write."""
    tags = read_tags(io.BytesIO(metadata.exif)) if form.name in _EXIF_BY_US else None
    exif = exif_block(tags, photo.pixels.shape[1::-1], metadata.resolution) if tags else b""
    if form.name == "TIFF":
        return with_tags(encoded, exif, iptc_alone(metadata.iptc))
    if form.name == "JPEG":
        return with_exif_segment(encoded, exif) if exif else _with_jfif_segment(encoded, metadata.resolution)
    if form.name == "PNG":
        chunks = [] if photo.icc_profile else list(metadata.colour_chunks)
        chunks += [text_chunk(keyword, text) for keyword, text in metadata.comments]
        chunks += [(b"eXIf", exif)] if exif else []
        return with_chunks(encoded, chunks, without=() if metadata.resolution else (b"pHYs",))
    return [encoded]


def with_exif_segment(encoded: bytes, exif: bytes) -> Parts:
    """Return the parts of the JPEG file `encoded` with an EXIF segment after the JFIF one, if it has that."""
    whole = memoryview(encoded)
    jfif = encoded[2:4] == b"\xff\xe0"
    start = 4 + int.from_bytes(encoded[4:6], "big") if jfif else 2
    data = EXIF_MARKER + exif
    return [whole[:start], b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big"), data, whole[start:]]


def _with_jfif_segment(encoded: bytes, resolution: tuple[float, float] | None) -> Parts:
    """Return the parts of the JPEG file `encoded` with a JFIF segment that says the `resolution` in pixels per inch.

    libvips writes none where it does not write EXIF.
    """
    density = [round(side * MILLIMETRES[INCH]) for side in resolution or ()]
    if not density or not 1 <= min(density) <= max(density) <= MAX_DENSITY:
        return [encoded]
    segment = b"\xff\xe0" + struct.pack(">H5s2sBHHBB", 16, b"JFIF", b"\1\1", 1, *density, 0, 0)
    whole = memoryview(encoded)
    return [whole[:2], segment, whole[2:]]
