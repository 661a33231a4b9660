"""Photos decoded by libvips: what a file may claim, what is damaged, and what is repaired."""

import dataclasses
import io
import math
import os
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from jaxsr.data.codecs.jpeg_repair import check_loss, damage_in
from jaxsr.data.codecs.photo_formats import TIFF_RATIOS, PhotoFormat
from jaxsr.data.codecs.photo_record import Metadata, Photo, check_backed, check_size, photo_of_bands
from jaxsr.data.codecs.tag_blocks import COMPRESSION, TagBlock, read_tags
from jaxsr.data.codecs.vips_layouts import bands_of, check_samples
from jaxsr.data.codecs.vips_library import collected_warnings, unreadable, vips
from jaxsr.data.codecs.vips_metadata import blob_of, field_of, file_tags, images_note, metadata_of, stored_orientation
from jaxsr.support.errors import UserError

if TYPE_CHECKING:
    from pyvips import Image

_END_OF_JPEG = b"\xff\xd9"


def read_size(file: BinaryIO, form: PhotoFormat) -> tuple[int, int]:
    """Return (height, width) of the upright photo in `file`, from its header; raises UserError if that fails."""
    with collected_warnings() as warnings:
        try:
            image = _opened(file, form)
            width, height = image.width, image.height
            turned = stored_orientation(image, form, file_tags(image, file, form)) > 4
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
    if form.name == "TIFF":
        check_samples(read_tags(file))
    image = _opened(file, form)
    check_size(image.width, image.height, max_pixels)
    tags = file_tags(image, file, form)
    size = image.width * image.height * image.bands * (2 if image.format == "ushort" else 1)
    check_backed(size, _length(file), _max_ratio(form, tags))
    orientation = stored_orientation(image, form, tags)
    metadata, notes = metadata_of(image, file, form, tags)
    notes += images_note(image, file, form)
    bands, layout_notes = bands_of(image, tags if form.name == "TIFF" else None)
    profile = b"" if image.interpretation == "cmyk" else blob_of(image, "icc-profile-data")
    return Decoded(
        bands, orientation, profile, metadata, notes + layout_notes, bool(field_of(image, "jpeg-multiscan", 0))
    )


def _max_ratio(form: PhotoFormat, tags: TagBlock | None) -> float:
    """Return how many times larger than its file a decoded photo can be."""
    if form.name == "TIFF" and tags:
        return TIFF_RATIOS.get(tags.number(COMPRESSION) or 1, math.inf)
    return form.max_ratio


def _length(file: BinaryIO) -> int:
    """Return how many bytes `file` has."""
    return file.seek(0, os.SEEK_END)
