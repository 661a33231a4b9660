"""Sorted tables of keys and values, in LevelDB's format: TensorFlow's checkpoints, or their index."""

import struct
from collections.abc import Iterator

from jaxsr.weights.readers.bounds import MAX_TENSORS, Budget, check_count
from jaxsr.weights.readers.protocol_buffers import varint

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER, TRAILER = 48, 5  # bytes; behind a block stand its compression and a sum
PLAIN, SNAPPY = 0, 1
LITERAL, SHORT, MEDIUM = 0, 1, 2  # kinds of Snappy's pieces; the others are copies with offsets of 1, 2 and 4 bytes


def read_table(content: bytes, budget: Budget) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) in order; raises ValueError for a broken table, and for more than weights have."""
    if content[-len(MAGIC) :] != MAGIC or len(content) < FOOTER:
        raise ValueError("it is not a checkpoint of TensorFlow: its last bytes are not those of a table")
    _, place = _handle(content, len(content) - FOOTER)
    index, _ = _handle(content, place)
    count = 0
    for _, handle in _entries(_block(content, index, budget)):
        for entry in _entries(_block(content, _handle(handle, 0)[0], budget)):
            count += 1
            check_count(count, 2 * MAX_TENSORS)
            yield entry


def _handle(data: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Return the offset and the size of a block, and where they end."""
    offset, place = varint(data, place)
    size, place = varint(data, place)
    return (offset, size), place


def _block(content: bytes, handle: tuple[int, int], budget: Budget) -> bytes:
    offset, size = handle
    if offset + size + TRAILER > len(content):
        raise ValueError("a block lies beyond the end of the file")
    data, compression = content[offset : offset + size], content[offset + size]
    budget.spend(size, "a block")
    if compression == PLAIN:
        return data
    if compression == SNAPPY:
        return unsnapped(data, budget)
    raise ValueError(f"a block is compressed by method {compression}")


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) of a block; keys are written without what they share with the one before."""
    if len(block) < 4:
        raise ValueError("a block ends early")
    end = len(block) - 4 - 4 * struct.unpack_from("<I", block, len(block) - 4)[0]
    if end < 0:
        raise ValueError("a block has more places to start than bytes")
    place, key = 0, b""
    while place < end:
        shared, place = varint(block, place)
        added, place = varint(block, place)
        size, place = varint(block, place)
        if shared > len(key) or place + added + size > end:
            raise ValueError("an entry does not fit into its block")
        key = key[:shared] + block[place : place + added]
        place += added
        yield key, block[place : place + size]
        place += size


def unsnapped(data: bytes, budget: Budget) -> bytes:
    """Return what Snappy has compressed; raises ValueError where it is broken, or more than the budget."""
    size, place = varint(data, 0)
    budget.spend(size, "a compressed block")
    result = bytearray()
    while place < len(data):
        tag = data[place]
        length, offset, place = _literal(data, place) if tag & 3 == LITERAL else _copy(data, place)
        if len(result) + length > size:
            raise ValueError("a compressed block is longer than it says")
        if not offset:
            if place + length > len(data):
                raise ValueError("a compressed block ends early")
            result += data[place : place + length]
            place += length
        elif offset > len(result):
            raise ValueError("a compressed block refers to what is before it")
        else:
            piece = bytes(result[-offset:][:length])
            result += (piece * -(-length // len(piece)))[:length]
    if len(result) != size:
        raise ValueError("a compressed block is shorter than it says")
    return bytes(result)


def _literal(data: bytes, place: int) -> tuple[int, int, int]:
    """Return the length of plain bytes, 0, and where they begin."""
    length, place = data[place] >> 2, place + 1
    extra = max(length - 59, 0)  # bytes that the length itself takes
    if extra:
        length = int.from_bytes(_bytes(data, place, extra), "little")
    return length + 1, 0, place + extra


def _copy(data: bytes, place: int) -> tuple[int, int, int]:
    """Return the length and the offset back of bytes to repeat, and where the next piece begins."""
    tag = data[place]
    kind = tag & 3
    if kind == SHORT:
        low = _bytes(data, place + 1, 1)[0]
        length, offset, place = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | low, place + 2
    else:
        width = 2 if kind == MEDIUM else 4
        length, offset = (tag >> 2) + 1, int.from_bytes(_bytes(data, place + 1, width), "little")
        place += 1 + width
    if not offset:
        raise ValueError("a compressed block repeats nothing")
    return length, offset, place


def _bytes(data: bytes, place: int, count: int) -> bytes:
    if place + count > len(data):
        raise ValueError("a compressed block ends early")
    return data[place : place + count]
