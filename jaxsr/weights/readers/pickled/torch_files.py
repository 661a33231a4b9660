"""PyTorch files without PyTorch: pickles read as data, in which tensors are views of storages.

Zip archives (PyTorch 1.6 and later) and the stream before them; state dicts and whole pickled modules.
"""

import io
import itertools
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.weights.readers.bounds import MAX_DEPTH, Budget, check_count, check_name, refusals
from jaxsr.weights.readers.pickled.pickle_objects import Holder, Pickled
from jaxsr.weights.readers.pickled.torch_tensors import ByteOrder, Tensor, load_pickle
from jaxsr.weights.readers.zips import open_zip, read_member

MAX_OBJECTS = 1_000_000  # looked at for tensors; lists that hold each other would never end
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_ZIP_START = b"PK\x03\x04"
STREAM_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number's pickle


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Return {dotted name: array} of a PyTorch file; a file of one bare tensor names it "tensor".

    Raises UserError, naming the reason, for a file that is truncated, no PyTorch file, out of bounds, or would run
    code.
    """
    with refusals(path, "refused", "give a file of tensors (torch.save of a state dict)"):
        if zipfile.is_zipfile(path):
            return _read_zip(path, Budget(path))
        content = path.read_bytes()
        if content.startswith(_ZIP_START):  # an archive without its directory, which stands at the end
            raise _cut_off(path)
        stream = io.BytesIO(content)
        try:
            parts = _read_stream(stream)
        except (ValueError, IndexError):
            at_end = stream.tell() >= len(content)
            if at_end and content[: len(STREAM_START)] == STREAM_START[: len(content)]:
                raise _cut_off(path) from None
            raise
        return _read_all(*parts, Budget(path))


def _cut_off(path: Path) -> UserError:
    return UserError(f"{path} ends early, as after a download that broke off; get it again")


def _read_zip(path: Path, budget: Budget) -> dict[str, np.ndarray]:
    with open_zip(path) as archive:
        names = archive.namelist()
        root = next((name for name in names if name.endswith("data.pkl")), None)
        if root is None:
            raise ValueError("the archive has no data.pkl")
        prefix = root.removesuffix("data.pkl")
        orders = {name: read_member(archive, name, budget) for name in (f"{prefix}byteorder",) if name in names}
        order: ByteOrder = "<" if set(orders.values()) <= {b"little"} else ">"
        tensors = dict(_flat(load_pickle(io.BytesIO(read_member(archive, root, budget)))))
        keys = {tensor.storage.key for tensor in tensors.values()}
        missing = next((key for key in keys if f"{prefix}data/{key}" not in archive.NameToInfo), None)
        if missing is not None:
            raise ValueError(f"the storage {missing!r} is missing")
        storages = {key: read_member(archive, f"{prefix}data/{key}", budget) for key in keys}
    return _read_all(tensors, storages, order, budget)


def _read_stream(stream: io.BytesIO) -> tuple[dict[str, Tensor], dict[str, bytes], ByteOrder]:
    """Read magic number, protocol, system, object, storage keys; then per key a count and the raw elements."""
    if load_pickle(stream) != _LEGACY_MAGIC:
        raise ValueError("it is not a PyTorch file")
    _, system = load_pickle(stream), load_pickle(stream)
    tensors = dict(_flat(load_pickle(stream)))
    sizes = {tensor.storage.key: tensor.storage.dtype.itemsize for tensor in tensors.values()}
    order: ByteOrder = "<" if not isinstance(system, dict) or system.get("little_endian", True) else ">"
    storages: dict[str, bytes] = {}
    keys = load_pickle(stream)
    for key in map(str, keys if isinstance(keys, list) else ()):
        count = int(np.frombuffer(stream.read(8), np.dtype(np.int64).newbyteorder(order))[0])
        if key not in sizes:
            raise ValueError(f"storage {key} belongs to no tensor, so its size is unknown")
        if count < 0:
            raise ValueError(f"storage {key} has {count} elements")
        storages[key] = stream.read(count * sizes[key])
        if len(storages[key]) < count * sizes[key]:
            raise ValueError(f"storage {key} ends early")
    return tensors, storages, order


def _read_all(
    tensors: dict[str, Tensor], storages: dict[str, bytes], order: ByteOrder, budget: Budget
) -> dict[str, np.ndarray]:
    arrays = {}
    for name, tensor in tensors.items():
        if tensor.storage.key not in storages:
            raise ValueError(f"the storage {tensor.storage.key!r} is missing")
        budget.spend(tensor.bytes, f"the tensor {name!r} of {tensor.size}")
        arrays[name] = tensor.read(storages[tensor.storage.key], order)
    return arrays


def _flat(value: Pickled) -> Iterator[tuple[str, Tensor]]:
    """Yield (dotted name, tensor) of nested dictionaries, lists and modules; raises ValueError beyond the bounds."""
    found = itertools.count(1)
    for visited, (name, item) in enumerate(_walk(value, "", 0)):
        if visited > MAX_OBJECTS:
            raise ValueError(f"more than {MAX_OBJECTS} objects, or lists that hold each other")
        if isinstance(item, Tensor):
            check_count(next(found))
            yield name or "tensor", item


def _walk(value: Pickled, prefix: str, depth: int) -> Iterator[tuple[str, Pickled]]:
    """Yield every object inside with its dotted name: modules have parameters, buffers and children."""
    yield prefix, value
    if depth > MAX_DEPTH:
        raise ValueError(f"objects nested deeper than {MAX_DEPTH}")
    if isinstance(value, Holder):
        state = value.state if isinstance(value.state, dict) else {}
        parts = [state.get(part) for part in ("_parameters", "_buffers", "_modules")]
        value = {name: child for part in parts if isinstance(part, dict) for name, child in part.items()}
    elif isinstance(value, list | tuple):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return
    for name, child in value.items():
        if isinstance(child, Tensor | Holder | list | tuple | dict):
            yield from _walk(child, check_name(f"{prefix}.{name}" if prefix else str(name)), depth + 1)
