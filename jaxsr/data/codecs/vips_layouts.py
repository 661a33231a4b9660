"""Layouts of samples: what libvips decodes becomes 8 or 16 bits of grey or RGB, with alpha, or is refused."""

from typing import TYPE_CHECKING

import numpy as np

from jaxsr.data.codecs.tag_blocks import (
    BITS_PER_SAMPLE,
    COMPRESSION,
    EXTRA_SAMPLES,
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    SUBFILE_TYPE,
    SUBIFDS,
    TagBlock,
)
from jaxsr.data.codecs.vips_library import vips
from jaxsr.data.codecs.vips_metadata import blob_of, field_of
from jaxsr.imaging.pixels import max_level
from jaxsr.support.errors import UserError

if TYPE_CHECKING:
    from pyvips import Image

_FORMATS = ("uchar", "ushort")
_SAMPLE_FORMATS = {1: "", 2: " (signed)", 3: " (float)", 5: " (complex)", 6: " (complex)"}  # of TIFF
_YCBCR, _CIE_LAB, _OTHER_LABS = 6, 8, (9, 10)  # values of TIFF's PhotometricInterpretation; ICC's and ITU's differ
_RAW = (32803, 34892)  # also: a camera's colour filter array, and its linear RGB
_AS_RGB = (6, 7, 33003)  # values of Compression, JPEG and Aperio's JPEG 2000, of which libvips turns YCbCr into RGB
_REDUCED = 1  # the bit of NewSubfileType that says that another image of the file is larger
_ASSOCIATED, _UNASSOCIATED = 1, 2  # values of TIFF's ExtraSamples that are alpha


def check_samples(tags: TagBlock | None) -> None:
    """Raise UserError for a TIFF file whose samples are not whole numbers of at most 16 bits, as of photos.

    Also for colours that libvips cannot open or takes for RGB, and for a camera's raw photo.
    """
    if tags is None:
        return
    bits, kinds = tags.numbers(BITS_PER_SAMPLE), tags.numbers(SAMPLE_FORMAT)
    if max(bits, default=1) > 16 or max(kinds, default=1) in (2, 3, 5, 6):
        what = f"{max(bits, default=1)} bits{_SAMPLE_FORMATS.get(max(kinds, default=1), '')}"
        raise UserError(f"has {what} per sample, of a range that no tag says; save it with 8 or 16 bits per channel")
    colours = tags.number(PHOTOMETRIC)
    if colours in _OTHER_LABS or (colours == _CIE_LAB and max(bits, default=1) <= 8):
        raise UserError("has L*a*b* colours of a kind that cannot be read; save it as RGB")
    if colours == _YCBCR and (tags.number(COMPRESSION) or 1) not in _AS_RGB:
        raise UserError("has YCbCr colours of a kind that cannot be read; save it as RGB")
    preview = (tags.number(SUBFILE_TYPE) or 0) & _REDUCED and SUBIFDS in tags.tags
    if colours in _RAW or preview:
        raise UserError("is a camera's raw photo, or a preview of one; develop it, and save it as TIFF or PNG")


def bands_of(image: "Image", tags: TagBlock | None) -> tuple[np.ndarray, list[str]]:
    """Return the bands (H, W, 1 to 4) uint8 or uint16, upright or not, and what there is to say of them."""
    if image.interpretation in ("lab", "labs", "labq"):
        image = image.colourspace("rgb16" if field_of(image, "bits-per-sample", 8) > 8 else "srgb")
    if image.format not in _FORMATS:
        raise UserError(f"has samples of type {image.format}; save it with 8 or 16 bits per channel")
    colours = {"cmyk": 4, "b-w": 1, "grey16": 1}.get(str(image.interpretation), 3 if image.bands > 2 else 1)
    kept, notes = _kept_bands(image.bands, colours, tags)
    if image.interpretation == "cmyk" and (profile := blob_of(image, "icc-profile-data")):
        converted = _by_profile(image) if profile[16:20] == b"CMYK" and profile[36:40] == b"acsp" else None
        if converted is not None:
            return converted[..., : len(kept) - 1], notes
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
        notes.append(f"extra bands of unspecified meaning were left out ({extra - len(alpha)})")
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
