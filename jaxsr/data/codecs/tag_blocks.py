"""EXIF blocks and the tags of TIFF files, which are one format: directories of tags, read, cleaned and written again.

Broken tags are left out. Values stay bytes in the byte order of their block, so that nothing is lost on the way.
"""

import dataclasses
import io
import re
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import BinaryIO

EXIF_MARKER = b"Exif\0\0"  # before an EXIF block in JPEG files
COMPRESSION, DESCRIPTION, ORIENTATION, XMP, EXTRA_SAMPLES = 259, 270, 274, 700, 338
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965  # tags that point to a directory
PIXEL_X, PIXEL_Y = 40962, 40963
POINTERS = (EXIF, GPS, INTEROPERABILITY)
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
MILLIMETRES = {2: 25.4, 3: 10}  # that a unit of resolution has: inch, centimetre
LONG, RATIONAL = 4, 5

# What of a TIFF file's tags says something about the photo, not about how it is stored: ImageDescription, Make, Model,
# Software, DateTime, Artist, HostComputer, Copyright, and those of Windows and the rating
DESCRIPTIVE = {270, 271, 272, 305, 306, 315, 316, 33432, 18246, 18249, *range(40091, 40096), EXIF, GPS}

_LAYOUTS = (b'{"shape"', b"ImageJ=", b"<OME", b"<?xml")  # descriptions by programs of the layout, which changes
# What of an EXIF block's tags is about its own storage, is carried elsewhere (XMP, IPTC, the profile), or is applied
_STRUCTURAL = {*range(254, 270), *range(273, 282), *range(284, 296), 297, *range(317, 348), *range(512, 533)}
_STRUCTURAL |= {XMP, 33723, 34377, 34675}
NO_ENTRIES: Mapping[int, bytes] = MappingProxyType({})
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # what byte order turns round
_MAX_TAGS, _MAX_VALUE = 1000, 1 << 24


@dataclasses.dataclass(frozen=True)
class Tag:
    """The value of a tag: its TIFF `type`, and `data` in the byte order of the block; or a directory of tags."""

    type: int
    data: bytes = b""
    directory: "dict[int, Tag] | None" = None


Tags = dict[int, Tag]


@dataclasses.dataclass(frozen=True)
class TagBlock:
    """The tags of the first directory, and those that it points to; `order` is "<" or ">"."""

    order: str
    tags: Tags
    broken: int = 0

    def number(self, tag: int) -> int | None:
        """Return the first number of a tag of whole numbers in the first directory; None if it has none."""
        numbers = self.numbers(tag)
        return numbers[0] if numbers else None

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the whole numbers of `tag` in the first directory."""
        value = self.tags.get(tag)
        code = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(value.type) if value else None
        if value is None or code is None:
            return ()
        return struct.unpack(f"{self.order}{len(value.data) // _SIZES[value.type]}{code}", value.data)

    def resolution(self) -> tuple[float, float] | None:
        """Return XResolution and YResolution in pixels per millimetre; None where they or their unit are missing."""
        pairs = [
            self.tags[n].data for n in (X_RESOLUTION, Y_RESOLUTION) if n in self.tags and self.tags[n].type == RATIONAL
        ]
        unit = MILLIMETRES.get(self.number(RESOLUTION_UNIT) or 0)
        ratios = [struct.unpack(f"{self.order}II", data[:8]) for data in pairs]
        if unit is None or len(ratios) < 2 or not all(above and below for above, below in ratios):
            return None
        x, y = (above / below / unit for above, below in ratios)
        return x, y


class _Reader:
    """Reads directories from a seekable file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.broken, self.seen = file, 0, set[int]()
        header = self.at(0, 16)
        self.order = {b"II": "<", b"MM": ">"}[header[:2]]
        self.big = self.unpack("H", header[2:4]) == 43
        self.first = self.unpack("Q", header[8:16]) if self.big else self.unpack("I", header[4:8])

    def at(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(size)

    def unpack(self, code: str, data: bytes) -> int:
        return struct.unpack(self.order + code, data)[0]

    def directory(self, offset: int, inside: int = 0) -> Tags:
        if offset in self.seen or len(self.seen) > 8:
            return {}
        self.seen.add(offset)
        head, entry, code = (8, 20, "Q") if self.big else (2, 12, "H")
        count = min(self.unpack(code, self.at(offset, head)), _MAX_TAGS)
        table = self.at(offset + head, count * entry)
        tags: Tags = {}
        for start in range(0, count * entry, entry):
            try:
                number, tag = self.tag(table[start : start + entry], inside)
                tags[number] = tag
            except (struct.error, KeyError, ValueError, OverflowError):
                self.broken += 1
        return tags

    def tag(self, entry: bytes, inside: int) -> tuple[int, Tag]:
        number, kind = struct.unpack(f"{self.order}HH", entry[:4])
        count = self.unpack("Q" if self.big else "I", entry[4:12] if self.big else entry[4:8])
        field = entry[12:] if self.big else entry[8:]
        size = count * _SIZES[kind]
        if number in POINTERS and (number == INTEROPERABILITY) == (inside == EXIF):
            return number, Tag(LONG, directory=self.directory(self.unpack("I", field[:4]), number))
        if size > _MAX_VALUE:
            raise ValueError(size)
        data = field[:size] if size <= len(field) else self.at(self.unpack("Q" if self.big else "I", field), size)
        if len(data) < size:
            raise ValueError(size)
        return number, Tag(kind, data)


def read_tags(file: BinaryIO) -> TagBlock | None:
    """Return the tags of an EXIF block or a TIFF file, or None if it is neither."""
    try:
        reader = _Reader(file)
        return TagBlock(reader.order, reader.directory(reader.first), reader.broken)
    except (KeyError, struct.error, ValueError, OverflowError, OSError):
        return None


def descriptive(block: TagBlock) -> TagBlock:
    """Return `block`, that of a TIFF file, without the tags that are about storage, not about the photo."""
    tags = {number: tag for number, tag in block.tags.items() if number in DESCRIPTIVE}
    if DESCRIPTION in tags and tags[DESCRIPTION].data.lstrip().startswith(_LAYOUTS):
        del tags[DESCRIPTION]
    return dataclasses.replace(block, tags=tags)


def exif_block(block: TagBlock, size: tuple[int, int] | None = None) -> bytes:
    """Return an EXIF block with the tags of `block`, without orientation and thumbnail; b"" if there are none.

    With a `size` (width, height), the tags that repeat the size of the photo have that.
    """
    tags = {number: tag for number, tag in block.tags.items() if number not in _STRUCTURAL}
    inner = dict((tags[EXIF].directory or {}) if EXIF in tags else {})
    if size and inner:
        sides = {PIXEL_X: size[0], PIXEL_Y: size[1]}
        inner |= {n: Tag(LONG, struct.pack(f"{block.order}I", sides[n])) for n in sides if n in inner}
        tags[EXIF] = Tag(LONG, directory=inner)
    if not tags:
        return b""
    header = b"II*\0" if block.order == "<" else b"MM\0*"
    return header + struct.pack(f"{block.order}I", 8) + pack_directory(tags, block.order, 8)


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
            data, count = tag.data, len(tag.data) // _SIZES[tag.type]
        short = tag.directory is None and len(data) <= 4
        field = data.ljust(4, b"\0") if short else struct.pack(f"{order}I", at)
        values += b"" if short else data + b"\0" * (len(data) % 2)
        table[number] = struct.pack(f"{order}HHI", number, tag.type, count) + field
    rows = [table[number] for number in sorted(table)]
    return b"".join([struct.pack(f"{order}H", len(rows)), *rows, bytes(4), values])


def with_tags(encoded: bytes, exif: bytes) -> list[bytes | memoryview]:
    """Return the parts of the little-endian TIFF file `encoded` with the tags of an EXIF block in its directory.

    They are unchanged where it has no such directory, as in files beyond 4 GiB.
    """
    block, whole = read_tags(io.BytesIO(exif)), memoryview(encoded)
    if block is None or encoded[:4] != b"II*\0" or len(encoded) > 2**32 - 2**24:
        return [whole]
    offset = struct.unpack("<I", encoded[4:8])[0]
    count = struct.unpack("<H", encoded[offset : offset + 2])[0]
    table = [encoded[at : at + 12] for at in range(offset + 2, offset + 2 + 12 * count, 12)]
    entries = {struct.unpack("<H", entry[:2])[0]: entry for entry in table}
    tags = little_endian({n: tag for n, tag in block.tags.items() if n not in entries}, block.order)
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


_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)([1-8])")


def orientation_in(exif: TagBlock | None, xmp: bytes) -> int:
    """Return the orientation 1 to 8 that EXIF says, or else XMP; 1, upright, where neither does."""
    said = exif.number(ORIENTATION) if exif else None
    if said is None and (match := _XMP_ORIENTATION.search(xmp)):
        said = int(match[2])
    return said if said is not None and 1 <= said <= 8 else 1


def upright_xmp(xmp: bytes) -> bytes:
    """Return the packet `xmp` with an orientation, if any, that says upright."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
