"""TensorFlow's checkpoints without TensorFlow: one file (before 2016), or an index beside files of numbers.

Messages and their numbers of fields are those of tensor_bundle.proto and saved_tensor_slice.proto.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import ml_dtypes
import numpy as np

from jaxsr.support.paths import is_file
from jaxsr.weights.readers.bounds import MAX_AXES, Budget, check_name, refusals
from jaxsr.weights.readers.protocol_buffers import Fields, fields_of, messages, number, varints
from jaxsr.weights.readers.sorted_tables import MAGIC, read_table

REMEDY = "give the whole checkpoint, .index and .data files together"
DTYPES = {
    **{1: np.float32, 2: np.float64, 3: np.int32, 4: np.uint8, 5: np.int16, 6: np.int8, 9: np.int64, 10: np.bool_},
    **{14: ml_dtypes.bfloat16, 17: np.uint16, 19: np.float16, 22: np.uint32, 23: np.uint64},
}
HALF = (14, 19)
LISTS = {1: (5, "<f4"), 2: (6, "<f8")}  # type -> field of a packed list, and how it is written
WHOLE_LISTS = {3: 7, 4: 7, 5: 7, 6: 7, 9: 10, 10: 11, 14: 13, 17: 7, 19: 13}
MAX_SHARDS = 1024


def is_checkpoint(path: Path) -> bool:
    """Return whether a file is a table of TensorFlow's."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - len(MAGIC), 0))
        return file.read() == MAGIC


def index_of(path: Path) -> Path:
    """Return the index of a checkpoint that `path` names: itself, a file of numbers beside it, or their prefix."""
    if not path.name:  # the folder "." or "/", which has none beside it
        return path
    prefix = path.name.split(".data-")[0] if ".data-" in path.name else path.name.removesuffix(".meta")
    for name in (path.name, f"{prefix}.index"):
        candidate = path.with_name(name)
        if is_file(candidate) and (name.endswith(".index") or (candidate == path and prefix == name)):
            return candidate
    return path


def read_tensorflow(path: Path) -> dict[str, np.ndarray]:
    """Return {name of the variable: array} of a checkpoint's file or index; texts are left out.

    Raises UserError for a broken one, for variables in parts, and for files of numbers that are missing.
    """
    with refusals(path, "not a readable checkpoint of TensorFlow", REMEDY):
        budget = Budget(path)
        entries = read_table(path.read_bytes(), budget)
        key, header = next(entries, (b"", b""))
        if key:
            raise ValueError("it has no header")
        if path.suffix == ".index":
            return dict(_bundled(path, fields_of(header), entries))
        return dict(_sliced(entries, budget))


def _bundled(path: Path, header: Fields, entries: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the variables of an index, whose numbers are in files beside it."""
    shards, order = number(header, 1, 1), ">" if number(header, 2) else "<"
    if not 0 < shards <= MAX_SHARDS:
        raise ValueError(f"it has {shards} files of numbers; {MAX_SHARDS} are the most")
    files = [path.with_name(f"{path.stem}.data-{i:05}-of-{shards:05}") for i in range(shards)]
    budget = _Several([file for file in files if file.is_file()] or [path])
    for key, value in entries:
        name, entry = check_name(key.decode("utf-8", "replace")), fields_of(value)
        kind, shard = number(entry, 1), number(entry, 3)
        if kind not in DTYPES:
            continue
        if messages(entry, 7):
            raise ValueError(f"{name!r} is kept in parts; save it whole")
        if shard >= shards or not files[shard].is_file():
            raise ValueError(f"{files[min(shard, shards - 1)].name} is missing beside it")
        yield name, _stored(name, files[shard], entry, np.dtype(DTYPES[kind]).newbyteorder(order), budget)


class _Several(Budget):
    """The bytes that several files together may expand to."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(paths[0])
        self._size = sum(path.stat().st_size for path in paths)
        self.left += self._size


def _stored(name: str, file: Path, entry: Fields, dtype: np.dtype, budget: Budget) -> np.ndarray:
    shape, offset, size = _shape(messages(entry, 2)), number(entry, 4), number(entry, 5)
    if size != math.prod(shape) * dtype.itemsize or offset + size > file.stat().st_size:
        raise ValueError(f"{name!r} of {shape} {dtype} does not fit into {file.name}")
    budget.spend(size, repr(name))
    with file.open("rb") as stream:
        stream.seek(offset)
        return np.frombuffer(stream.read(size), dtype).reshape(shape)


def _shape(parts: list[bytes]) -> tuple[int, ...]:
    """Return the sides of a TensorShapeProto; raises ValueError where they are unknown, or too many."""
    sides = [number(fields_of(dim), 1) for part in parts for dim in messages(fields_of(part), 2)]
    if len(sides) > MAX_AXES or any(side >= 2**48 for side in sides):
        raise ValueError(f"a variable has sides out of bounds, or more than {MAX_AXES} axes")
    return tuple(sides)


def _sliced(entries: Iterator[tuple[bytes, bytes]], budget: Budget) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the variables of a checkpoint of one file, whose entries hold them."""
    for _, value in entries:
        for data in messages(fields_of(value), 2):
            piece = fields_of(data)
            name = check_name(b"".join(messages(piece, 1)).decode("utf-8", "replace"))
            extents = [fields_of(extent) for part in messages(piece, 2) for extent in messages(fields_of(part), 1)]
            if any(extents):
                raise ValueError(f"{name!r} is kept in parts; save it whole")
            for tensor in messages(piece, 3):
                array = _tensor(name, fields_of(tensor), budget)
                if array is not None:
                    yield name, array


def _tensor(name: str, tensor: Fields, budget: Budget) -> np.ndarray | None:
    """Return the array of a TensorProto, None for texts."""
    kind, shape = number(tensor, 1), _shape(messages(tensor, 2))
    if kind not in DTYPES:
        return None
    count, dtype = math.prod(shape), np.dtype(DTYPES[kind])
    budget.spend(count * dtype.itemsize, repr(name))
    if content := b"".join(messages(tensor, 4)):
        flat = np.frombuffer(content, dtype)
    elif kind in LISTS:
        field, written = LISTS[kind]
        flat = np.frombuffer(b"".join(messages(tensor, field)), written)
    else:
        flat = _whole(tensor.get(WHOLE_LISTS.get(kind, 7), []), kind, count, dtype)
    if flat.size == 1 and count > 1:  # a list of equal numbers is written once
        flat = np.broadcast_to(flat, count)
    if flat.size != count:
        raise ValueError(f"{name!r} of {shape} has {flat.size} numbers")
    return flat.reshape(shape)


def _whole(values: list[int | bytes], kind: int, count: int, dtype: np.dtype) -> np.ndarray:
    """Return a list of whole numbers, packed or not, or of 16-bit floats, which are written by their bits."""
    numbers: list[int] = []
    for value in values:
        numbers += [value] if isinstance(value, int) else varints(value, count)
    if kind in HALF:
        return np.array(numbers, np.uint64).astype(np.uint16).view(dtype)
    return np.array(numbers, np.uint64).astype(np.int64).astype(dtype)
