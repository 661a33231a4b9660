"""What libvips, and the tags of a file, say beside the pixels, and IPTC as each format has it."""

import io
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from jaxsr.data.codecs.photo_formats import PhotoFormat
from jaxsr.data.codecs.photo_record import UPRIGHT, Metadata
from jaxsr.data.codecs.png_chunks import colour_chunks, is_animated
from jaxsr.data.codecs.tag_blocks import EXIF_MARKER, TagBlock, orientation_in, read_tags, upright_xmp
from jaxsr.data.codecs.tag_writer import descriptive, exif_block
from jaxsr.data.codecs.vips_library import vips

if TYPE_CHECKING:
    from pyvips import Image

Field = TypeVar("Field", int, str, bytes)

_UNKNOWN = (1.0, 2.834, 72 / 25.4)  # what libvips says of files without a resolution
_FINEST = 1e6  # pixels per millimetre that can be true

# JPEG files have IPTC among the resources of Photoshop, TIFF files as it is; libvips passes on what it finds
_PHOTOSHOP, _RESOURCE, _IPTC = b"Photoshop 3.0\0", b"8BIM", b"\x04\x04"


def field_of(image: "Image", name: str, default: Field) -> Field:
    """Return a field of the header, or `default` where it is missing or no text."""
    try:
        value = image.get(name) if image.get_typeof(name) else default
        return value if isinstance(value, type(default)) else default
    except (vips().Error, UnicodeDecodeError):
        return default


def blob_of(image: "Image", name: str) -> bytes:
    return bytes(field_of(image, name, b""))


def file_tags(image: "Image", file: BinaryIO, form: PhotoFormat) -> TagBlock | None:
    """Return the tags of a TIFF file, or those in the EXIF block of another."""
    if form.name == "TIFF":
        return read_tags(file)
    return read_tags(io.BytesIO(blob_of(image, "exif-data").removeprefix(EXIF_MARKER)))


def stored_orientation(image: "Image", form: PhotoFormat, tags: TagBlock | None) -> int:
    """Return how the stored pixels are turned; libvips turns AVIF itself, where EXIF has no say."""
    return UPRIGHT if form.operation == "heif" else orientation_in(tags, blob_of(image, "xmp-data"))


def metadata_of(image: "Image", file: BinaryIO, form: PhotoFormat, tags: TagBlock | None) -> tuple[Metadata, list[str]]:
    notes = [f"broken EXIF tags were left out ({tags.broken})"] if tags and tags.broken else []
    comments, odd = _comments(image)
    notes += [f"the text {keyword!r} is not UTF-8 and was left out" for keyword in odd]
    if tags and form.name == "TIFF":
        tags = descriptive(tags)
    metadata = Metadata(
        exif=exif_block(tags) if tags else b"",
        xmp=upright_xmp(blob_of(image, "xmp-data")),
        iptc=blob_of(image, "iptc-data"),
        resolution=_resolution(image, tags),
        comments=comments,
        colour_chunks=colour_chunks(file) if form.name == "PNG" else (),
    )
    return metadata, notes


def iptc_alone(block: bytes) -> bytes:
    """Return the IPTC-IIM block in `block`, which may be Photoshop's around it; b"" where that holds none."""
    if not block.startswith(_PHOTOSHOP):
        return block
    at = len(_PHOTOSHOP)
    while block[at : at + 4] == _RESOURCE:
        kind, name = block[at + 4 : at + 6], 1 + int.from_bytes(block[at + 6 : at + 7])
        at += 6 + name + name % 2
        size = int.from_bytes(block[at : at + 4])
        if kind == _IPTC:
            return block[at + 4 : at + 4 + size]
        at += 4 + size + size % 2
    return b""


def iptc_of_jpeg(block: bytes) -> bytes:
    """Return `block`, an IPTC-IIM block or Photoshop's around it, as JPEG files have it: Photoshop's."""
    if not block or block.startswith(_PHOTOSHOP):
        return block
    return _PHOTOSHOP + _RESOURCE + _IPTC + bytes(2) + len(block).to_bytes(4) + block + bytes(len(block) % 2)


def _resolution(image: "Image", tags: TagBlock | None) -> tuple[float, float] | None:
    """Return pixels per millimetre, of the file or of its EXIF block; None where neither knows."""
    said = (image.xres, image.yres)
    if not set(said) & set(_UNKNOWN) and min(said) > 0 and max(said) < _FINEST:
        return said
    return tags.resolution() if tags else None


def _comments(image: "Image") -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """Return the texts (keyword, text) of a PNG file, and the keywords of those that cannot be read."""
    names = [name for name in image.get_fields() if name.startswith("png-comment-")]
    pairs = [(name.split("-", 3)[3], field_of(image, name, "")) for name in names]
    return tuple((key, text) for key, text in pairs if text), [key for key, text in pairs if not text]


def images_note(image: "Image", file: BinaryIO, form: PhotoFormat) -> list[str]:
    """Return a line about further images in the file, if it has any."""
    if (pages := field_of(image, "n-pages", 1)) > 1:
        return [f"holds {pages} images; the first is taken"]
    if form.name == "AVIF":
        file.seek(0)
    animated = is_animated(file) if form.name == "PNG" else form.name == "AVIF" and file.read(12).endswith(b"avis")
    return ["holds an animation; the first image is taken"] if animated else []
