"""Chunks of PNG files that libvips does not read or write as they are: how colours are meant, EXIF, texts."""

import struct
import zlib
from collections.abc import Collection, Iterable, Iterator
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


def with_chunks(
    encoded: bytes, chunks: Iterable[tuple[bytes, bytes]], without: Collection[bytes] = ()
) -> list[bytes | memoryview]:
    """Return the parts of the PNG file `encoded` with `chunks` (name, data) after its header.

    Chunks before the pixels whose name is in `without` are left out.
    """
    whole, at = memoryview(encoded), _HEADER_END
    parts: list[bytes | memoryview] = [whole[:at], *(_packed(name, data) for name, data in chunks)]
    while (name := encoded[at + 4 : at + 8]) not in (b"IDAT", b""):
        end = at + 12 + int.from_bytes(encoded[at : at + 4], "big")
        parts += [] if name in without else [whole[at:end]]
        at = end
    return [*parts, whole[at:]]


def text_chunk(keyword: str, text: str) -> tuple[bytes, bytes]:
    """Return the chunk (name, data) of a text, which is compressed if it is long."""
    key, data, long = keyword.encode("latin-1", "replace"), text.encode(), len(text) > 1000
    if not text.isascii():
        return b"iTXt", key + bytes([0, long, 0, 0, 0]) + (zlib.compress(data) if long else data)
    return (b"zTXt", key + b"\0\0" + zlib.compress(data)) if long else (b"tEXt", key + b"\0" + data)


def _packed(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
