"""Chunks of PNG files that libvips neither reads nor writes: how the colours are meant, without a profile."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

COLOUR_CHUNKS = (b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI")
SRGB = {
    b"gAMA": struct.pack(">I", 45455),
    b"cHRM": struct.pack(">8I", *(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
}
_SIGNATURE = 8
_HEADER_END = 33  # the signature and the chunk IHDR


def colour_chunks(file: BinaryIO) -> tuple[tuple[bytes, bytes], ...]:
    """Return the COLOUR_CHUNKS before the pixels of a PNG file (name, data), without those that describe sRGB."""
    found = ((name, data) for name, data in _chunks(file) if name in COLOUR_CHUNKS)
    return tuple((name, data) for name, data in found if SRGB.get(name) != data)


def is_animated(file: BinaryIO) -> bool:
    """Return whether a PNG file has several frames."""
    return any(name == b"acTL" and data[:4] > struct.pack(">I", 1) for name, data in _chunks(file))


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks before the pixels that are whole and small."""
    file.seek(_SIGNATURE)
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        if name in (b"IDAT", b"IEND"):
            return
        if size > 64:
            file.seek(size + 4, 1)
            continue
        data, checksum = file.read(size), file.read(4)
        if checksum == struct.pack(">I", zlib.crc32(name + data)):
            yield name, data


def with_chunks(encoded: bytes, chunks: Iterable[tuple[bytes, bytes]]) -> list[bytes | memoryview]:
    """Return the parts of the PNG file `encoded` with `chunks` (name, data) after its header."""
    packed = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    whole = memoryview(encoded)
    return [whole[:_HEADER_END], *packed, whole[_HEADER_END:]]
