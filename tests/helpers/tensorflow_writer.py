"""Writes TensorFlow's checkpoints with the standard library: tables of LevelDB that hold protocol buffers."""

import numpy as np

TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}
MAGIC = bytes.fromhex("57fb808b247547db")
RESTART = 16  # entries of a block after which a key is written whole


def varint(value: int) -> bytes:
    """Return a whole number in groups of 7 bits."""
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])


def field(number: int, value: int | bytes) -> bytes:
    """Return a field of a message: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def shape_of(x: np.ndarray) -> bytes:
    """Return a TensorShapeProto."""
    return b"".join(field(2, field(1, side)) for side in x.shape)


def block(entries: list[tuple[bytes, bytes]], *, snappy: bool = False) -> bytes:
    """Return entries with what keys share left out, and the block's trailer; `snappy` compresses without repeats."""
    content, restarts, before = bytearray(), [], b""
    for i, (key, value) in enumerate(entries):
        if i % RESTART == 0:
            restarts.append(len(content))
            before = b""
        shared = next(
            (j for j, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), min(len(before), len(key))
        )
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    content += b"".join(place.to_bytes(4, "little") for place in restarts or [0])
    content += max(len(restarts), 1).to_bytes(4, "little")
    return (snapped(bytes(content)) if snappy else bytes(content)) + bytes([snappy]) + bytes(4)


def snapped(data: bytes) -> bytes:
    """Return `data` as Snappy has it: plain pieces, and where a kilobyte of one byte comes, copies of it."""
    result, place = bytearray(varint(len(data))), 0
    while place < len(data):
        run = len(data) - place - len(data[place:].lstrip(data[place : place + 1]))
        if run > 8:
            result += bytes([0, data[place]]) + bytes([(min(run - 1, 64) - 1) << 2 | 2, 1, 0])
            place += 1 + min(run - 1, 64)
        else:
            piece = data[place : place + 50]
            result += bytes([60 << 2, len(piece) - 1]) + piece
            place += len(piece)
    return bytes(result)


def table(entries: dict[bytes, bytes], *, snappy: bool = False, per_block: int = 20) -> bytes:
    """Return a table of sorted entries."""
    ordered, content, index = sorted(entries.items()), b"", []
    for start in range(0, len(ordered), per_block):
        part = ordered[start : start + per_block]
        data = block(part, snappy=snappy)
        index.append((part[-1][0], varint(len(content)) + varint(len(data) - 5)))
        content += data
    handles = b""
    for data in (block([]), block(index)):
        handles += varint(len(content)) + varint(len(data) - 5)
        content += data
    return content + handles.ljust(40, b"\0") + MAGIC


def bundle(tensors: dict[str, np.ndarray], *, shards: int = 1) -> tuple[bytes, list[bytes]]:
    """Return a checkpoint's index and its files of numbers."""
    entries, files = {b"": field(1, shards) + field(3, field(1, 1))}, [b""] * shards
    for i, (name, x) in enumerate(tensors.items()):
        shard, content = i % shards, np.ascontiguousarray(x).tobytes()
        entry = field(1, TYPES[str(x.dtype)]) + field(2, shape_of(x)) + field(3, shard)
        entry += field(4, len(files[shard])) + field(5, len(content)) + varint(6 << 3 | 5) + bytes(4)
        entries[name.encode()] = entry
        files[shard] += content
    return table(entries), files


def write_bundle(prefix, tensors: dict[str, np.ndarray], *, shards: int = 1) -> None:
    """Write a checkpoint of several files, `prefix`.index and `prefix`.data-00000-of-00001."""
    index, files = bundle(tensors, shards=shards)
    prefix.with_name(f"{prefix.name}.index").write_bytes(index)
    for i, content in enumerate(files):
        prefix.with_name(f"{prefix.name}.data-{i:05}-of-{shards:05}").write_bytes(content)


def single_file(tensors: dict[str, np.ndarray]) -> bytes:
    """Return a checkpoint of one file, compressed by Snappy."""
    metas, entries = b"", {}
    for i, (name, x) in enumerate(tensors.items()):
        kind, extents = TYPES[str(x.dtype)], field(1, b"") * x.ndim
        metas += field(1, field(1, name.encode()) + field(2, shape_of(x)) + field(3, kind) + field(4, extents))
        numbers = {1: (5, x.tobytes()), 2: (6, x.tobytes())}.get(
            kind, (10 if kind == 9 else 7, b"".join(varint(int(n) % 2**64) for n in x.ravel()))
        )
        tensor = field(1, kind) + field(2, shape_of(x)) + field(*numbers)
        data = field(1, name.encode()) + field(2, extents) + field(3, tensor)
        entries[b"\0" + i.to_bytes(4, "big")] = field(2, data)
    return table({b"": field(1, metas)} | entries, snappy=True, per_block=3)
