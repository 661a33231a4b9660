"""PyTorch files without PyTorch: pickles read as data, in which tensors are views of storages.

Zip archives (PyTorch 1.6 and later) and the stream before them; state dicts and whole pickled modules. Nothing that
a file names is imported: known names map to functions here, other classes to inert holders of their state.
"""

import dataclasses
import io
import itertools
import math
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import ml_dtypes
import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.weights.readers.bounds import MAX_AXES, MAX_DEPTH, Budget, check_count, check_name, refusals
from jaxsr.weights.readers.pickles import Global, Holder, Machine, Pickled, PickleRefused, check_key, pairs
from jaxsr.weights.readers.zips import open_zip, read_member

ByteOrder: TypeAlias = Literal["<", ">"]
MAX_OBJECTS = 1_000_000  # looked at for tensors; lists that hold each other would never end
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_ZIP_START, _STREAM_START = b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number's pickle
_DTYPES = {
    **{"FloatStorage": np.float32, "DoubleStorage": np.float64, "HalfStorage": np.float16},
    **{"BFloat16Storage": ml_dtypes.bfloat16, "BoolStorage": np.bool_, "ByteStorage": np.uint8},
    **{"CharStorage": np.int8, "ShortStorage": np.int16, "IntStorage": np.int32, "LongStorage": np.int64},
}


class _Kind(Global):
    """The class of storages of one dtype."""

    def __init__(self, name: str, dtype: np.dtype) -> None:
        super().__init__(f"torch.{name}")
        self.dtype = dtype


@dataclasses.dataclass(frozen=True)
class Storage:
    """The flat array that tensors view, by its key in the file."""

    key: str
    dtype: np.dtype


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def read(self, content: bytes, byte_order: ByteOrder) -> np.ndarray:
        """Return the array, from the storage's bytes; raises ValueError where they do not hold it."""
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if math.prod(self.size) == 0:
            return np.zeros(self.size, self.storage.dtype)
        flat = np.frombuffer(content, self.storage.dtype.newbyteorder(byte_order))
        if last >= flat.size:
            raise ValueError(f"a tensor needs {last + 1} elements of a storage of {flat.size}")
        strides = tuple(step * flat.itemsize for step in self.stride)
        view = np.lib.stride_tricks.as_strided(flat[self.offset :], self.size, strides, writeable=False)
        return view.astype(self.storage.dtype)

    @property
    def bytes(self) -> int:
        """The bytes of the array, however few the storage has."""
        return math.prod(self.size) * self.storage.dtype.itemsize


def _rebuild_tensor(storage: Storage, offset: int, size: tuple, stride: tuple, *_: Pickled) -> Tensor:
    if not isinstance(storage, Storage):
        raise PickleRefused("a tensor without a storage")
    if not (isinstance(size, tuple | list) and isinstance(stride, tuple | list) and len(size) == len(stride)):
        raise PickleRefused("a tensor whose size and strides do not fit")
    numbers = (offset, *size, *stride)
    if len(size) > MAX_AXES or not all(type(number) is int and 0 <= number < 2**48 for number in numbers):
        raise PickleRefused(f"a tensor with sizes or strides out of bounds, or more than {MAX_AXES} axes")
    return Tensor(storage, offset, tuple(size), tuple(stride))


def _reconstruct(kind: Pickled, *_: Pickled) -> Holder:
    if not isinstance(kind, Global):
        raise PickleRefused(f"it reconstructs a {type(kind).__name__}, which is not a plain object")
    return kind.new()


def _unneeded(*_: Pickled) -> Holder:
    """Return an empty object for what is not a tensor, such as NumPy scalars of a training log."""
    return Holder()


_CALLS: dict[tuple[str, str], Callable[..., Pickled]] = {
    ("collections", "OrderedDict"): lambda items=(): pairs(items),
    ("copy_reg", "_reconstructor"): _reconstruct,
    ("copyreg", "_reconstructor"): _reconstruct,
    ("torch", "Size"): lambda size=(): tuple(size),
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch.nn.parameter", "Parameter"): lambda tensor, *_: tensor,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("builtins", "set"): lambda items=(): set(map(check_key, items)),
    ("__builtin__", "set"): lambda items=(): set(map(check_key, items)),
    ("builtins", "object"): _unneeded,
    ("__builtin__", "object"): _unneeded,
    ("torch", "device"): _unneeded,
    ("torch.nn.backends.thnn", "_get_thnn_function_backend"): _unneeded,  # in modules saved before PyTorch 1.0
    ("_codecs", "encode"): _unneeded,
    **{(f"numpy.{core}.multiarray", "scalar"): _unneeded for core in ("core", "_core")},
    ("numpy", "dtype"): _unneeded,
}
_KNOWN: dict[tuple[str, str], Global] = {
    **{names: Global(".".join(names), call) for names, call in _CALLS.items()},
    **{("torch", name): _Kind(name, np.dtype(dtype)) for name, dtype in _DTYPES.items()},
}
# Modules that attacks use and networks do not: refused where they are named, before any call.
_FORBIDDEN = {
    *("__builtin__", "builtins", "code", "ctypes", "functools", "importlib", "io", "marshal", "multiprocessing", "nt"),
    *("operator", "os", "pickle", "pip", "platform", "posix", "pty", "runpy", "shutil", "signal", "socket"),
    *("subprocess", "sys", "tempfile", "threading", "types", "urllib", "webbrowser"),
}


def _find(module: str, name: str) -> Global:
    """Return the stand-in for a name; never imports."""
    if known := _KNOWN.get((module, name)):
        return known
    if module.split(".")[0] in _FORBIDDEN:
        raise PickleRefused(f"it names {module}.{name}, which is not a tensor")
    return Global(f"{module}.{name}", inert=True)


def _persistent(pid: Pickled) -> Pickled:
    """Return the reference to a storage, or a module's class as it was read."""
    if not isinstance(pid, tuple) or len(pid) < 2:
        raise PickleRefused("a storage without a name")
    if pid[0] == "module":
        return pid[1]
    if len(pid) < 5 or not isinstance(pid[1], _Kind) or not isinstance(pid[2], str | int):
        raise PickleRefused("a storage of an unknown kind")
    return Storage(check_name(str(pid[2])), pid[1].dtype)


def _load(stream: io.BytesIO) -> Pickled:
    return Machine(_find, _persistent).load(stream)


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Return {dotted name: array} of a PyTorch file; a file of one bare tensor names it "tensor".

    Raises UserError, naming the reason, for a file that is truncated, no PyTorch file, out of bounds, or would run
    code.
    """
    with refusals(path, "refused", "give a file of tensors (torch.save of a state dict)"):
        if zipfile.is_zipfile(path):
            return _read_zip(path, Budget(path))
        stream = io.BytesIO(path.read_bytes())
        try:
            parts = _read_stream(stream)
        except (ValueError, IndexError):
            if _is_cut_off(stream):
                raise UserError(f"{path} ends early, as after a download that broke off; get it again") from None
            raise
        return _read_all(*parts, Budget(path))


def _is_cut_off(stream: io.BytesIO) -> bool:
    """Return whether reading failed at the end of a PyTorch file, or the file is an archive without its directory."""
    content = stream.getbuffer()
    if content[: len(_ZIP_START)] == _ZIP_START:
        return True
    return stream.tell() >= len(content) and content[: len(_STREAM_START)] == _STREAM_START[: len(content)]


def _read_zip(path: Path, budget: Budget) -> dict[str, np.ndarray]:
    with open_zip(path) as archive:
        names = archive.namelist()
        root = next((name for name in names if name.endswith("data.pkl")), None)
        if root is None:
            raise ValueError("the archive has no data.pkl")
        prefix = root.removesuffix("data.pkl")
        orders = {name: read_member(archive, name, budget) for name in (f"{prefix}byteorder",) if name in names}
        order: ByteOrder = "<" if set(orders.values()) <= {b"little"} else ">"
        tensors = dict(_flat(_load(io.BytesIO(read_member(archive, root, budget)))))
        keys = {tensor.storage.key for tensor in tensors.values()}
        missing = next((key for key in keys if f"{prefix}data/{key}" not in archive.NameToInfo), None)
        if missing is not None:
            raise ValueError(f"the storage {missing!r} is missing")
        storages = {key: read_member(archive, f"{prefix}data/{key}", budget) for key in keys}
    return _read_all(tensors, storages, order, budget)


def _read_stream(stream: io.BytesIO) -> tuple[dict[str, Tensor], dict[str, bytes], ByteOrder]:
    """Read magic number, protocol, system, object, storage keys; then per key a count and the raw elements."""
    if _load(stream) != _LEGACY_MAGIC:
        raise ValueError("it is not a PyTorch file")
    _, system = _load(stream), _load(stream)
    tensors = dict(_flat(_load(stream)))
    sizes = {tensor.storage.key: tensor.storage.dtype.itemsize for tensor in tensors.values()}
    order: ByteOrder = "<" if not isinstance(system, dict) or system.get("little_endian", True) else ">"
    storages: dict[str, bytes] = {}
    keys = _load(stream)
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
