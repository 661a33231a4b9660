"""MATLAB 5 files whose elements, sides and nesting lie."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from tests.helpers.hostile_weights.archives import deflated_zeros
from tests.helpers.hostile_weights.honest import mat

HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
DOUBLE, CELL, STRUCTURE, OBJECT, TEXT, SPARSE, FUNCTION, OPAQUE = 6, 1, 2, 3, 4, 5, 16, 17


def element(kind: int, data: bytes, size: int | None = None) -> bytes:
    """Return an element; `size` is what it claims."""
    return struct.pack("<II", kind, len(data) if size is None else size) + data + bytes(-len(data) % 8)


def array(kind: int, sides: tuple[int, ...], *parts: bytes, name: bytes = b"a", flags: int = 0) -> bytes:
    """Return an array element."""
    facts = element(6, struct.pack("<II", kind | flags, 0)) + element(5, struct.pack(f"<{len(sides)}i", *sides))
    return element(14, facts + element(1, name) + b"".join(parts))


def numbers(count: int = 4, kind: int = 9, each: int = 8) -> bytes:
    """Return an element of numbers."""
    return element(kind, bytes(each * count))


def fields(names: bytes = b"f".ljust(8, b"\x00"), length: int = 8) -> bytes:
    """Return the names of a structure's fields."""
    return element(5, struct.pack("<i", length)) + element(1, names)


def compressed(content: bytes) -> bytes:
    """Return a compressed element."""
    packed = zlib.compress(content, 9)
    return struct.pack("<II", 15, len(packed)) + packed


def nested(kind: int, depth: int) -> bytes:
    """Return cells, or functions, within each other."""
    inner, parts = 0, []
    front = array(kind, (1, 1), name=b"")[8:]
    for _ in range(depth):
        parts.append(struct.pack("<II", 14, inner + len(front)) + front)
        inner += len(front) + 8
    return b"".join(reversed(parts))


def _bomb(claimed: int) -> bytes:
    """Return a compressed array of `claimed` bytes of zeros."""
    facts = (
        element(6, struct.pack("<II", DOUBLE, 0)) + element(5, struct.pack("<2i", claimed // 8, 1)) + element(1, b"a")
    )
    start = struct.pack("<II", 14, len(facts) + 8 + claimed) + facts + struct.pack("<II", 9, claimed)
    packer = zlib.compressobj(9)
    packed = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH) + deflated_zeros(claimed)
    return struct.pack("<II", 15, len(packed)) + packed


def elements() -> Iterator[tuple[str, bytes]]:
    """Yield what stands behind the header."""
    yield "sides", array(DOUBLE, (10**5, 10**5), numbers())
    yield "sides_overflow", array(DOUBLE, (2**31 - 1,) * 9, numbers())
    yield "sides_negative", array(DOUBLE, (-2, -2), numbers())
    yield "sides_many", array(DOUBLE, (1,) * 5000, numbers(1))
    yield "sides_none", array(DOUBLE, (), numbers(0))
    yield "kind_of_numbers", array(DOUBLE, (2, 2), numbers(kind=77))
    yield "kind_of_array", array(99, (2, 2), numbers())
    yield "size_of_numbers", array(DOUBLE, (2, 2), element(9, bytes(32), 2**32 - 1))
    yield "imaginary_missing", array(DOUBLE, (2, 2), numbers(), flags=0x800)
    yield "cells", array(CELL, (2**30, 1))
    yield "cells_of_nothing", array(CELL, (5, 1), element(14, b""))
    yield "cells_of_numbers", array(CELL, (1, 1), numbers(1))
    yield "cells_nested", nested(CELL, 40_000)
    yield "functions_nested", nested(FUNCTION, 40_000)
    yield "cells_many", array(CELL, (300_000, 1), element(14, b"") * 300_000)
    yield "structures", array(STRUCTURE, (2**30, 1), fields())
    yield "structures_no_fields", array(STRUCTURE, (2**30, 1), fields(b""))
    yield "structure_length_zero", array(STRUCTURE, (1, 1), fields(length=0))
    yield "structure_length_negative", array(STRUCTURE, (1, 1), fields(length=-8))
    yield "structure_many_fields", array(STRUCTURE, (1, 1), fields(b"ab" * 200_000, 1))
    yield "structure_short", array(STRUCTURE, (1, 1), fields())
    yield "object", array(OBJECT, (2**30, 1), element(1, b"net"), fields())
    yield "text", array(TEXT, (1, 2**31 - 1), element(16, b""))
    yield "text_short", array(TEXT, (1, 10**6), element(16, b"abc"))
    yield "text_kind", array(TEXT, (1, 3), element(15, b"abc"))
    yield "sparse", array(SPARSE, (2**30, 2**30), numbers(1, 5, 4), numbers(1, 5, 4), numbers(1))
    yield "opaque", element(14, element(6, struct.pack("<II", OPAQUE, 0)) + element(1, b"a") * 3)
    yield "long_name", array(DOUBLE, (2, 2), numbers(), name=b"n" * 10**6)
    yield "no_flags", element(14, numbers())
    yield "no_array", numbers()
    yield "size", element(14, bytes(16), 2**32 - 1)
    yield "short_size", struct.pack("<HH", 14, 9) + bytes(20)


def cases() -> Iterator[tuple[str, bytes]]:
    """Yield each set of elements, every second compressed too, bombs, and wrong headers."""
    for place, (name, content) in enumerate(elements()):
        yield f"{name}.mat", HEADER + content
        if place % 2 == 0:
            yield f"{name}_compressed.mat", HEADER + compressed(content)
    yield "bomb.mat", HEADER + _bomb(2 * 2**30)
    yield "bombs.mat", HEADER + _bomb(200 * 2**20) * 20
    yield "compressed_twice.mat", HEADER + compressed(compressed(array(DOUBLE, (2, 2), numbers())))
    yield "compressed_rubbish.mat", HEADER + struct.pack("<II", 15, 40) + b"x" * 40
    yield "version4.mat", struct.pack("<5I", 0, 2**31 - 1, 2**31 - 1, 0, 2) + b"a\x00" + bytes(200)
    yield "version9.mat", HEADER[:124] + b"\x00\x09IM" + array(DOUBLE, (2, 2), numbers())
    yield "order.mat", HEADER[:126] + b"XX" + array(DOUBLE, (2, 2), numbers())
    yield "header_alone.mat", HEADER
    yield "only_texts.mat", mat({"title": "text"})
    yield "complex.mat", mat({"a": np.ones((2, 2), np.complex128)})
