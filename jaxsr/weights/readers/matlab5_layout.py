"""The layout of MATLAB 5 files, walked before SciPy reads them: it allocates what they claim, to any depth.

Every element has a type and a count of bytes; arrays nest: flags, sides, name, then numbers, or further arrays.
"""

import math
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from jaxsr.weights.readers.bounds import MAX_AXES, MAX_DEPTH, MAX_NAME, MAX_TENSORS, Budget, check_count

HEADER, VERSION, ORDERS = 128, 0x0100, {b"IM": "<", b"MI": ">"}
COMPRESSED, MATRIX = 15, 14
CELL, STRUCTURE, OBJECT, CHARACTERS, SPARSE, FUNCTION, OPAQUE = 1, 2, 3, 4, 5, 16, 17
NUMERIC = range(6, 16)
NUMBER_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}  # by type; 16 to 18 are texts
TEXTS = {*NUMBER_BYTES, 16, 17, 18}
COMPLEX = 0x800
MAX_FIELDS, MAX_BLANK = 4096, 4096  # fields of a structure; characters of a text that the file leaves out


class Element(NamedTuple):
    """An element's type and data, and where the next one begins in what holds it."""

    kind: int
    data: memoryview
    end: int


def check_layout(path: Path, budget: Budget) -> None:
    """Raise ValueError unless all arrays of a MATLAB 5 file lie inside what holds them and fit the budget."""
    content = memoryview(path.read_bytes())
    order = ORDERS.get(bytes(content[126:128]))
    if order is None or struct.unpack_from(f"{order}H", content, 124)[0] != VERSION:
        raise ValueError("it is not a MATLAB 5 or 7.3 file; write it by save -v7")
    layout, place = _Layout(order), HEADER
    while place < len(content):
        element = layout.element(content, place)
        place = element.end
        budget.spend(len(element.data), "an array")
        if element.kind == COMPRESSED:
            element = layout.element(memoryview(_decompressed(element.data, budget)), 0)
        if element.kind != MATRIX:
            raise ValueError(f"an element of type {element.kind} stands where an array is expected")
        layout.check_array(element.data, 0)


def _decompressed(data: memoryview, budget: Budget) -> bytes:
    """Return the content of a compressed element, or as much of it as the budget allows for, and raise ValueError."""
    content = zlib.decompressobj().decompress(data, budget.left + 1)
    budget.spend(len(content), "a compressed array")
    return content


class _Layout:
    """Walks arrays in one byte order, and counts them."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._count = 0

    def element(self, data: memoryview, place: int) -> Element:
        """Return the element at `place`; raises ValueError where it does not lie inside `data`."""
        if place + 8 > len(data):
            raise ValueError("it ends early")
        kind, size = struct.unpack_from(f"{self._order}II", data, place)
        if kind >> 16:  # up to four bytes, in the tag itself
            kind, size, start, end = kind & 0xFFFF, kind >> 16, place + 4, place + 8
            if size > 4:
                raise ValueError(f"a short element has {size} bytes")
        else:
            start = place + 8
            end = start + size if kind == COMPRESSED else start + -(-size // 8) * 8
        if start + size > len(data):
            raise ValueError(f"an element of {size} bytes does not fit into what holds it")
        return Element(kind, data[start : start + size], end)

    def check_array(self, data: memoryview, depth: int) -> None:
        """Raise ValueError unless an array's parts fit its sides, to a depth of MAX_DEPTH."""
        self._count += 1
        check_count(self._count)
        if depth > MAX_DEPTH:
            raise ValueError(f"arrays nested deeper than {MAX_DEPTH}")
        if not len(data):
            return
        flags = self._flags(data)
        kind = flags & 0xFF
        if kind == OPAQUE:  # an object of a class: three texts and an array
            self._check_children(data, self._skip(data, 16, count=3), 1, depth)
            return
        sides = self.element(data, 16)
        count = self._product(sides)
        name = self.element(data, sides.end)
        if len(name.data) > MAX_NAME:
            raise ValueError(f"a name has {len(name.data)} characters, more than {MAX_NAME}")
        if kind in NUMERIC:
            self._check_numbers(data, name.end, count, parts=2 if flags & COMPLEX else 1)
        elif kind == CHARACTERS:
            self._check_text(data, name.end, count)
        elif kind in (CELL, FUNCTION):
            self._check_children(data, name.end, count if kind == CELL else 1, depth)
        elif kind in (STRUCTURE, OBJECT):
            self._check_structure(data, name.end, kind, count, depth)
        else:
            raise ValueError(
                "it holds a sparse array; save full ones" if kind == SPARSE else f"an array of kind {kind}"
            )

    def _skip(self, data: memoryview, place: int, count: int) -> int:
        """Return where `count` elements end."""
        for _ in range(count):
            place = self.element(data, place).end
        return place

    def _flags(self, data: memoryview) -> int:
        flags = self.element(data, 0)
        if flags.kind != 6 or len(flags.data) != 8:
            raise ValueError("an array begins without its flags")
        return struct.unpack_from(f"{self._order}I", flags.data)[0]

    def _product(self, sides: Element) -> int:
        """Return the number of entries."""
        if sides.kind != 5 or len(sides.data) % 4 or not 2 <= len(sides.data) // 4 <= MAX_AXES:
            raise ValueError("an array without proper sides")
        numbers = struct.unpack(f"{self._order}{len(sides.data) // 4}i", sides.data)
        if min(numbers) < 0:
            raise ValueError(f"an array with the sides {numbers}")
        return math.prod(numbers)

    def _check_numbers(self, data: memoryview, place: int, count: int, parts: int) -> None:
        for _ in range(parts):
            numbers = self.element(data, place)
            if numbers.kind not in NUMBER_BYTES:
                raise ValueError(f"numbers of the unknown type {numbers.kind}")
            if len(numbers.data) != count * NUMBER_BYTES[numbers.kind]:
                raise ValueError(f"an array of {count} entries has {len(numbers.data)} bytes")
            place = numbers.end

    def _check_text(self, data: memoryview, place: int, count: int) -> None:
        text = self.element(data, place)
        if text.kind not in TEXTS or count > max(len(text.data), MAX_BLANK):
            raise ValueError(f"a text of {count} characters has {len(text.data)} bytes of type {text.kind}")

    def _check_structure(self, data: memoryview, place: int, kind: int, count: int, depth: int) -> None:
        if kind == OBJECT:
            place = self.element(data, place).end
        length = self.element(data, place)
        names = self.element(data, length.end)
        if length.kind != 5 or len(length.data) != 4:
            raise ValueError("a structure without the length of its fields' names")
        (longest,) = struct.unpack(f"{self._order}i", length.data)
        if not 0 < longest <= MAX_NAME or len(names.data) > MAX_FIELDS * longest:
            raise ValueError(f"a structure with more than {MAX_FIELDS} fields, or names of {longest} characters")
        check_count(count)
        self._check_children(data, names.end, count * (len(names.data) // longest), depth)

    def _check_children(self, data: memoryview, place: int, count: int, depth: int) -> None:
        if count > min(MAX_TENSORS, (len(data) - place) // 8):
            raise ValueError(f"{count} arrays in an array of {len(data)} bytes")
        for _ in range(count):
            child = self.element(data, place)
            if child.kind != MATRIX:
                raise ValueError(f"an element of type {child.kind} stands where an array is expected")
            self.check_array(child.data, depth + 1)
            place = child.end
