"""EXIF blocks as they are written again, by themselves or among the tags of a TIFF file."""

import dataclasses
import io
import struct
from collections.abc import Mapping
from types import MappingProxyType

from jaxsr.data.codecs.tag_blocks import (
    DESCRIPTION,
    EXIF,
    GPS,
    INCH,
    IPTC,
    LONG,
    MILLIMETRES,
    PIXEL_X,
    PIXEL_Y,
    RATIONAL,
    RESOLUTION_UNIT,
    SHORT,
    SIZES,
    STRUCTURAL,
    UNDEFINED,
    X_RESOLUTION,
    Y_RESOLUTION,
    Tag,
    TagBlock,
    Tags,
    read_tags,
)

# What of a TIFF file's tags says something about the photo, not about how it is stored: ImageDescription, Make, Model,
# Software, DateTime, Artist, HostComputer, Copyright, and those of Windows and the rating
DESCRIPTIVE = {270, 271, 272, 305, 306, 315, 316, 33432, 18246, 18249, *range(40091, 40096), EXIF, GPS}

MAX_LONG = 2**32 - 1
_LAYOUTS = (b'{"shape"', b"ImageJ=", b"<OME", b"<?xml")  # descriptions by programs of the layout, which changes
NO_ENTRIES: Mapping[int, bytes] = MappingProxyType({})
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # what byte order turns round


def descriptive(block: TagBlock) -> TagBlock:
    """Return `block`, that of a TIFF file, without the tags that are about storage, not about the photo."""
    tags = {number: tag for number, tag in block.tags.items() if number in DESCRIPTIVE}
    if DESCRIPTION in tags and tags[DESCRIPTION].data.lstrip().startswith(_LAYOUTS):
        del tags[DESCRIPTION]
    return dataclasses.replace(block, tags=tags)


def exif_block(
    block: TagBlock, size: tuple[int, int] | None = None, resolution: tuple[float, float] | None = None
) -> bytes:
    """Return an EXIF block with the tags of `block`, without orientation and thumbnail; b"" if there are none.

    With a `size` (width, height), the tags that repeat the size of the photo have that; with a `resolution` in pixels
    per millimetre, its tags are set.
    """
    tags = {number: tag for number, tag in block.tags.items() if number not in STRUCTURAL}
    if resolution and tags:
        for number, per_millimetre in zip((X_RESOLUTION, Y_RESOLUTION), resolution, strict=True):
            tags[number] = Tag(RATIONAL, _ratio(per_millimetre * MILLIMETRES[INCH], block.order))
        tags[RESOLUTION_UNIT] = Tag(SHORT, struct.pack(f"{block.order}H", INCH))
    inner = dict((tags[EXIF].directory or {}) if EXIF in tags else {})
    if size and inner:
        sides = {PIXEL_X: size[0], PIXEL_Y: size[1]}
        inner |= {n: Tag(LONG, struct.pack(f"{block.order}I", sides[n])) for n in sides if n in inner}
        tags[EXIF] = Tag(LONG, directory=inner)
    if not tags:
        return b""
    header = b"II*\0" if block.order == "<" else b"MM\0*"
    return header + struct.pack(f"{block.order}I", 8) + pack_directory(tags, block.order, 8)


def _ratio(value: float, order: str) -> bytes:
    """Return `value` as a RATIONAL, in thousandths unless it is so large that these do not fit."""
    below = 1000 if value < MAX_LONG // 1000 else 1
    return struct.pack(f"{order}II", min(round(value * below), MAX_LONG), below)


def pack_directory(tags: Tags, order: str, start: int, entries: Mapping[int, bytes] = NO_ENTRIES) -> bytes:
    """Return a directory of classic TIFF that lies `start` bytes from the beginning, followed by its values.

    It also has `entries` that are packed already. No directory follows it.
    """
    table, values = dict(entries), b""
    place = start + 2 + 12 * (len(tags) + len(entries)) + 4
    for number, tag in tags.items():
        at = place + len(values)
        if tag.directory is not None:
            data, count = pack_directory(tag.directory, order, at), 1
        else:
            data, count = tag.data, len(tag.data) // SIZES[tag.type]
        short = tag.directory is None and len(data) <= 4
        field = data.ljust(4, b"\0") if short else struct.pack(f"{order}I", at)
        values += b"" if short else data + b"\0" * (len(data) % 2)
        table[number] = struct.pack(f"{order}HHI", number, tag.type, count) + field
    rows = [table[number] for number in sorted(table)]
    return b"".join([struct.pack(f"{order}H", len(rows)), *rows, bytes(4), values])


def with_tags(encoded: bytes, exif: bytes, iptc: bytes = b"") -> list[bytes | memoryview]:
    """Return the parts of the little-endian TIFF file `encoded` with more tags in its directory.

    These are the tags of an EXIF block, and an IPTC block. The file is unchanged where it has no such directory, as
    beyond 4 GiB.
    """
    block, whole = read_tags(io.BytesIO(exif)), memoryview(encoded)
    more = little_endian(block.tags, block.order) if block else {}
    more |= {IPTC: Tag(UNDEFINED, iptc)} if iptc else {}
    if not more or encoded[:4] != b"II*\0" or len(encoded) > 2**32 - 2**24:
        return [whole]
    offset = struct.unpack("<I", encoded[4:8])[0]
    count = struct.unpack("<H", encoded[offset : offset + 2])[0]
    table = [encoded[at : at + 12] for at in range(offset + 2, offset + 2 + 12 * count, 12)]
    entries = {struct.unpack("<H", entry[:2])[0]: entry for entry in table}
    tags = {number: tag for number, tag in more.items() if number not in entries}
    start = len(encoded) + len(encoded) % 2
    new_directory = pack_directory(tags, "<", start, entries)
    return [whole[:4], struct.pack("<I", start), whole[8:], bytes(start - len(encoded)), new_directory]


def little_endian(tags: Tags, order: str) -> Tags:
    """Return `tags` with their values in little-endian order."""
    if order == "<":
        return tags
    return {
        number: Tag(tag.type, directory=little_endian(tag.directory, order))
        if tag.directory is not None
        else Tag(tag.type, _turned(tag))
        for number, tag in tags.items()
    }


def _turned(tag: Tag) -> bytes:
    word = _WORDS.get(tag.type, 1)
    return b"".join(tag.data[at : at + word][::-1] for at in range(0, len(tag.data), word))
