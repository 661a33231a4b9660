"""EXIF blocks and the tags of TIFF files, which are one format: directories of tags, as bytes.

Broken tags are left out. Values stay bytes in the byte order of their block, so that nothing is lost on the way.
"""

import dataclasses
import re
import struct
from typing import BinaryIO

EXIF_MARKER = b"Exif\0\0"  # before an EXIF block in JPEG files
SUBFILE_TYPE, BITS_PER_SAMPLE, SUBIFDS, SAMPLE_FORMAT = 254, 258, 330, 339
COMPRESSION, PHOTOMETRIC, DESCRIPTION, ORIENTATION, EXTRA_SAMPLES, XMP, IPTC = 259, 262, 270, 274, 338, 700, 33723
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965  # tags that point to a directory
PIXEL_X, PIXEL_Y = 40962, 40963
POINTERS = (EXIF, GPS, INTEROPERABILITY)
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
INCH, CENTIMETRE = 2, 3  # units of resolution
MILLIMETRES = {INCH: 25.4, CENTIMETRE: 10.0}
SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7

# What of an EXIF block's tags is about its own storage, is carried elsewhere (XMP, IPTC, the profile), or is applied
STRUCTURAL = {*range(254, 270), *range(273, 282), *range(284, 296), 297, *range(317, 348), *range(512, 533)}
STRUCTURAL |= {XMP, IPTC, 34377, 34675}

# Bytes of a value, by type
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
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
        return struct.unpack(f"{self.order}{len(value.data) // SIZES[value.type]}{code}", value.data)

    def resolution(self) -> tuple[float, float] | None:
        """Return XResolution and YResolution in pixels per millimetre; None where they or their unit are missing."""
        sides = [self.tags[n] for n in (X_RESOLUTION, Y_RESOLUTION) if n in self.tags]
        unit = MILLIMETRES.get(self.number(RESOLUTION_UNIT) or 0)
        ratios = [
            struct.unpack(f"{self.order}II", tag.data[:8]) for tag in sides if tag.type == RATIONAL and tag.data
        ]  # a tag may hold no value at all
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
            field = table[start : start + entry]
            try:
                number, tag = self.tag(field, inside)
                tags[number] = tag
            except (struct.error, KeyError, ValueError, OverflowError):
                self.broken += len(field) < 2 or self.unpack("H", field[:2]) not in STRUCTURAL
        return tags

    def tag(self, entry: bytes, inside: int) -> tuple[int, Tag]:
        number, kind = struct.unpack(f"{self.order}HH", entry[:4])
        count = self.unpack("Q" if self.big else "I", entry[4:12] if self.big else entry[4:8])
        field = entry[12:] if self.big else entry[8:]
        size = count * SIZES[kind]
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
