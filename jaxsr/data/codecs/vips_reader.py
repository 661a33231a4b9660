"""Photos decoded by libvips: every layout of samples to 8 or 16 bits of grey or RGB, with alpha and metadata."""

import dataclasses
import io
import math
import os
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np

from jaxsr.data.codecs.jpeg_repair import check_loss, damage_in
from jaxsr.data.codecs.photo_formats import TIFF_RATIOS, PhotoFormat
from jaxsr.data.codecs.photo_record import UPRIGHT, Metadata, Photo, check_backed, check_size, photo_of_bands
from jaxsr.data.codecs.png_chunks import colour_chunks, is_animated
from jaxsr.data.codecs.tag_blocks import (
    COMPRESSION,
    EXIF_MARKER,
    EXTRA_SAMPLES,
    TagBlock,
    descriptive,
    exif_block,
    orientation_in,
    read_tags,
    upright_xmp,
)
from jaxsr.data.codecs.vips_library import collected_warnings, unreadable, vips
from jaxsr.imaging.pixels import max_level
from jaxsr.support.errors import UserError

if TYPE_CHECKING:
    from pyvips import Image

Field = TypeVar("Field", int, str, bytes)

_FORMATS = ("uchar", "ushort")
_SAMPLES = {"float": "32 bits (float)", "double": "64 bits (float)", "uint": "32 bits", "int": "32 bits"}
_UNKNOWN = (1.0, 1.0)  # libvips' resolution of a file that says none
_FINEST = 1e6  # pixels per millimetre that can be true
_ASSOCIATED, _UNASSOCIATED = 1, 2  # values of TIFF's ExtraSamples that are alpha
_END_OF_JPEG = b"\xff\xd9"


def read_size(file: BinaryIO, form: PhotoFormat) -> tuple[int, int]:
    """Return (height, width) of the upright photo in `file`, from its header; raises UserError if that fails."""
    with collected_warnings() as warnings:
        try:
            image = _opened(file, form)
            width, height = image.width, image.height
            turned = _orientation(image, form, _tags(image, file, form)) > 4
        except vips().Error as error:
            raise unreadable(error, warnings) from None
    return (width, height) if turned else (height, width)


@dataclasses.dataclass(frozen=True)
class Decoded:
    """What a file holds: `bands` (H, W, 1 to 4) as stored, how they are turned, and the rest.

    `notes` has a line for everything that was left out; `passes` tells of a JPEG file whose pixels come in several.
    """

    bands: np.ndarray
    orientation: int
    icc_profile: bytes
    metadata: Metadata
    notes: list[str]
    passes: bool


def read_vips(file: BinaryIO, form: PhotoFormat, max_pixels: int) -> tuple[Photo, list[str]]:
    """Return the photo in `file`, and a line for everything in it that was left out or is odd.

    Raises UserError for damaged pixels, for samples that are neither 8 nor 16 bits, and beyond `max_pixels`.
    """
    with collected_warnings() as warnings:
        try:
            decoded = _decoded(file, form, max_pixels)
        except vips().Error as error:
            if form.name != "JPEG" or "premature end" not in str(error):
                raise unreadable(error, warnings) from None
            decoded = _completed_jpeg(file, form, max_pixels, warnings)
    if form.name == "JPEG" and (damage := damage_in(warnings)):
        raise UserError(f"unreadable ({damage}); copy the file again")
    notes = list(dict.fromkeys([*decoded.notes, *warnings]))
    return photo_of_bands(decoded.bands, decoded.orientation, decoded.icc_profile, decoded.metadata), notes


def _completed_jpeg(file: BinaryIO, form: PhotoFormat, max_pixels: int, warnings: list[str]) -> Decoded:
    """Return what a JPEG file that ends early holds, with its end marker added; raises UserError if much is missing."""
    file.seek(0)
    completed = io.BytesIO(file.read() + _END_OF_JPEG)
    warnings.clear()
    try:
        decoded = _decoded(completed, form, max_pixels)
    except vips().Error as error:
        raise unreadable(error, warnings) from None
    decoded.notes.append(check_loss(decoded.bands, warnings, passes=decoded.passes))
    return decoded


def _opened(file: BinaryIO, form: PhotoFormat) -> "Image":
    """Return the image in `file`, of which only the header is read as yet."""
    pyvips = vips()
    file.seek(0)
    options = {"access": "sequential", "fail_on": "error"}
    if isinstance(file, io.BytesIO):
        return getattr(pyvips.Image, f"{form.operation}load_buffer")(file.getvalue(), **options)
    source = pyvips.Source.new_from_descriptor(file.fileno())
    return getattr(pyvips.Image, f"{form.operation}load_source")(source, **options)


def _decoded(file: BinaryIO, form: PhotoFormat, max_pixels: int) -> Decoded:
    image = _opened(file, form)
    check_size(image.width, image.height, max_pixels)
    tags = _tags(image, file, form)
    size = image.width * image.height * image.bands * (2 if image.format == "ushort" else 1)
    check_backed(size, _length(file), _max_ratio(form, tags))
    orientation = _orientation(image, form, tags)
    metadata, notes = _metadata(image, file, form, tags)
    notes += _images_note(image, file, form)
    bands, layout_notes = _bands(image, tags if form.name == "TIFF" else None)
    profile = b"" if image.interpretation == "cmyk" else _blob(image, "icc-profile-data")
    return Decoded(
        bands, orientation, profile, metadata, notes + layout_notes, bool(_field(image, "jpeg-multiscan", 0))
    )


def _max_ratio(form: PhotoFormat, tags: TagBlock | None) -> float:
    """Return how many times larger than its file a decoded photo can be."""
    if form.name == "TIFF" and tags:
        return TIFF_RATIOS.get(tags.number(COMPRESSION) or 1, math.inf)
    return form.max_ratio


def _length(file: BinaryIO) -> int:
    """Return how many bytes `file` has."""
    return file.seek(0, os.SEEK_END)


def _images_note(image: "Image", file: BinaryIO, form: PhotoFormat) -> list[str]:
    """Return a line about further images in the file, if it has any."""
    if (pages := _field(image, "n-pages", 1)) > 1:
        return [f"holds {pages} images; the first is taken"]
    if form.name == "AVIF":
        file.seek(0)
    animated = is_animated(file) if form.name == "PNG" else form.name == "AVIF" and file.read(12).endswith(b"avis")
    return ["holds an animation; the first image is taken"] if animated else []


def _bands(image: "Image", tags: TagBlock | None) -> tuple[np.ndarray, list[str]]:
    """Return the bands (H, W, 1 to 4) uint8 or uint16, upright or not, and what there is to say of them."""
    if image.interpretation in ("lab", "labs"):
        image = image.colourspace("rgb16" if _field(image, "bits-per-sample", 8) > 8 else "srgb")
    if image.format not in _FORMATS:
        what = _SAMPLES.get(str(image.format), str(image.format))
        raise UserError(f"has {what} per sample, whose range no tag says; save it with 8 or 16 bits per channel")
    colours = {"cmyk": 4, "b-w": 1, "grey16": 1}.get(str(image.interpretation), 3 if image.bands > 2 else 1)
    kept, notes = _kept_bands(image.bands, colours, tags)
    if image.interpretation == "cmyk" and (profile := _blob(image, "icc-profile-data")):
        converted = _by_profile(image) if profile[16:20] == b"CMYK" and profile[36:40] == b"acsp" else None
        if converted is not None:
            return converted, notes
        notes.append("its CMYK profile is broken; CMYK became RGB without it")
    bands = image.numpy().reshape(image.height, image.width, image.bands)
    if len(kept) < image.bands:
        bands = bands[..., kept]
    if image.interpretation == "cmyk":
        bands = np.concatenate([_rgb_of_cmyk(bands[..., :4]), bands[..., 4:]], axis=-1)
    return bands, notes


def _kept_bands(count: int, colours: int, tags: TagBlock | None) -> tuple[list[int], list[str]]:
    """Return which of `count` bands are colours and alpha, and what is said of the others.

    A TIFF file says of its extra bands what they are; in other formats the only one is alpha.
    """
    colour_bands, extra = list(range(colours)), count - colours
    if tags is None or not extra:
        return list(range(min(count, colours + 1))), []
    kinds = tags.numbers(EXTRA_SAMPLES)
    alpha = [colours + i for i, kind in enumerate(kinds[:extra]) if kind in (_ASSOCIATED, _UNASSOCIATED)][:1]
    notes = []
    if extra > len(alpha):
        notes.append(f"{extra - len(alpha)} extra band of unspecified meaning was left out")
    if alpha and kinds[alpha[0] - colours] == _ASSOCIATED:
        notes.append("colours were divided by the alpha that was multiplied into them")
    return colour_bands + alpha, notes


def _by_profile(image: "Image") -> np.ndarray | None:
    """Return CMYK pixels as sRGB by the embedded profile, (H, W, 3 or 4), or None if the profile is broken."""
    depth = 16 if image.format == "ushort" else 8
    try:
        converted = image.icc_transform(
            "srgb", embedded=True, depth=depth, intent="relative", black_point_compensation=True
        )
        return converted.numpy().reshape(image.height, image.width, -1)
    except vips().Error:
        return None


def _rgb_of_cmyk(bands: np.ndarray) -> np.ndarray:
    """Return (H, W, 3) of `bands` (H, W, 4): each ink and black take their part of white, as without profiles."""
    white = max_level(bands.dtype)
    light = white - bands[..., 3:].astype(np.uint32)
    return (light - (bands[..., :3] * light + white // 2) // white).astype(bands.dtype)


def _field(image: "Image", name: str, default: Field) -> Field:
    """Return a field of the header, or `default` where it is missing or no text."""
    try:
        value = image.get(name) if image.get_typeof(name) else default
        return value if isinstance(value, type(default)) else default
    except (vips().Error, UnicodeDecodeError):
        return default


def _blob(image: "Image", name: str) -> bytes:
    return bytes(_field(image, name, b""))


def _tags(image: "Image", file: BinaryIO, form: PhotoFormat) -> TagBlock | None:
    """Return the tags of a TIFF file, or those in the EXIF block of another."""
    if form.name == "TIFF":
        return read_tags(file)
    return read_tags(io.BytesIO(_blob(image, "exif-data").removeprefix(EXIF_MARKER)))


def _orientation(image: "Image", form: PhotoFormat, tags: TagBlock | None) -> int:
    """Return how the stored pixels are turned; libvips turns AVIF itself, where EXIF has no say."""
    return UPRIGHT if form.operation == "heif" else orientation_in(tags, _blob(image, "xmp-data"))


def _metadata(image: "Image", file: BinaryIO, form: PhotoFormat, tags: TagBlock | None) -> tuple[Metadata, list[str]]:
    notes = [f"{tags.broken} broken EXIF tags were left out"] if tags and tags.broken else []
    comments, odd = _comments(image)
    notes += [f"the text {keyword!r} is no UTF-8 and was left out" for keyword in odd]
    if tags and form.name == "TIFF":
        tags = descriptive(tags)
    metadata = Metadata(
        exif=exif_block(tags) if tags else b"",
        xmp=upright_xmp(_blob(image, "xmp-data")),
        iptc=_blob(image, "iptc-data"),
        resolution=_resolution(image, tags),
        comments=comments,
        colour_chunks=colour_chunks(file) if form.name == "PNG" else (),
    )
    return metadata, notes


def _resolution(image: "Image", tags: TagBlock | None) -> tuple[float, float] | None:
    """Return pixels per millimetre, of the file or of its EXIF block; None where neither knows."""
    said = (image.xres, image.yres)
    if said != _UNKNOWN and min(said) > 0 and max(said) < _FINEST:
        return said
    return tags.resolution() if tags else None


def _comments(image: "Image") -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """Return the texts (keyword, text) of a PNG file, and the keywords of those that cannot be read."""
    names = [name for name in image.get_fields() if name.startswith("png-comment-")]
    pairs = [(name.split("-", 3)[3], _field(image, name, "")) for name in names]
    return tuple((key, text) for key, text in pairs if text), [key for key, text in pairs if not text]
