"""PyTorch files without PyTorch: a restricted unpickler that rebuilds tensors and runs nothing else.

Zip archives (PyTorch 1.6 and later) and the stream before them; state dicts and whole pickled modules. Nothing that
a file names is imported: known names map to functions here, other classes to inert holders of their state.
"""

import collections
import dataclasses
import io
import math
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import ml_dtypes
import numpy as np

from jaxsr.support.errors import UserError

ByteOrder: TypeAlias = Literal["<", ">"]
Pickled: TypeAlias = Any  # whatever a pickle holds
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
    **{"FloatStorage": np.float32, "DoubleStorage": np.float64, "HalfStorage": np.float16},
    **{"BFloat16Storage": ml_dtypes.bfloat16, "BoolStorage": np.bool_, "ByteStorage": np.uint8},
    **{"CharStorage": np.int8, "ShortStorage": np.int16, "IntStorage": np.int32, "LongStorage": np.int64},
}


@dataclasses.dataclass(frozen=True)
class Storage:
    """The flat array that tensors view, by its key in the file."""

    key: str
    dtype: np.dtype
    count: int


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __setstate__(self, state: Pickled) -> None:
        """Ignore what old files say of gradients and hooks."""

    def read(self, content: bytes, byte_order: ByteOrder) -> np.ndarray:
        """Return the array, from the storage's bytes; raises ValueError where they do not hold it."""
        if len(self.size) != len(self.stride) or min((self.offset, *self.size, *self.stride)) < 0:
            raise ValueError(f"a tensor of size {self.size} and strides {self.stride}")
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        flat = np.frombuffer(content, self.storage.dtype.newbyteorder(byte_order))
        if math.prod(self.size) == 0:
            return np.zeros(self.size, self.storage.dtype)
        if last >= flat.size:
            raise ValueError(f"a tensor needs {last + 1} elements of a storage of {flat.size}")
        strides = tuple(step * flat.itemsize for step in self.stride)
        view = np.lib.stride_tricks.as_strided(flat[self.offset :], self.size, strides, writeable=False)
        return view.astype(self.storage.dtype)


class _NotCalled(type):
    """Classes that a pickle may name and instantiate empty, but not call."""

    def __call__(cls, *_: Pickled, **__: Pickled) -> Pickled:
        raise pickle.UnpicklingError(f"it calls {cls.__qualname__}, which is no tensor")


class Holder(metaclass=_NotCalled):
    """An object of an unknown class: its state and nothing of its behaviour."""

    state: Pickled = None

    def __setstate__(self, state: Pickled) -> None:
        """Keep the state."""
        self.state = state


class _Unneeded:
    """Objects in a file that are no tensors, such as NumPy scalars of a training log."""

    def __init__(self, *_: Pickled):
        """Ignore all arguments."""

    def __setstate__(self, state: Pickled) -> None:
        """Ignore the state."""


def _rebuild_tensor(storage: Storage, offset: int, size: tuple, stride: tuple, *_: Pickled) -> Tensor:
    if not isinstance(storage, Storage):
        raise pickle.UnpicklingError("a tensor without a storage")
    return Tensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def _reconstruct(cls: Pickled, *_: Pickled) -> Holder:
    if not (isinstance(cls, type) and issubclass(cls, Holder)):
        raise pickle.UnpicklingError(f"it reconstructs {cls!r}, which is no plain object")
    return cls.__new__(cls)


_KNOWN: dict[tuple[str, str], Callable[..., Pickled]] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("copy_reg", "_reconstructor"): _reconstruct,
    ("copyreg", "_reconstructor"): _reconstruct,
    ("torch", "Size"): lambda size=(): tuple(size),
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch.nn.parameter", "Parameter"): lambda tensor, *_: tensor,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("builtins", "object"): object,
    ("__builtin__", "object"): object,
    ("torch", "device"): _Unneeded,
    ("torch.nn.backends.thnn", "_get_thnn_function_backend"): _Unneeded,  # in modules saved before PyTorch 1.0
    ("_codecs", "encode"): _Unneeded,
    **{(f"numpy.{core}.multiarray", "scalar"): _Unneeded for core in ("core", "_core")},
    ("numpy", "dtype"): _Unneeded,
}
# Modules that attacks use and networks do not: refused where they are named, before any call.
_FORBIDDEN = {
    *("__builtin__", "builtins", "code", "ctypes", "functools", "importlib", "io", "marshal", "multiprocessing", "nt"),
    *("operator", "os", "pickle", "pip", "platform", "posix", "pty", "runpy", "shutil", "signal", "socket"),
    *("subprocess", "sys", "tempfile", "threading", "types", "urllib", "webbrowser"),
}


class _Unpickler(pickle.Unpickler):
    """Rebuilds tensors as references; every other object is inert."""

    def __init__(self, stream: io.BytesIO):
        """Read `stream`; strings of Python 2 pickles may hold any byte."""
        super().__init__(stream, encoding="latin1")

    def find_class(self, module: str, name: str) -> Pickled:
        """Return the stand-in for a name; never imports."""
        if known := _KNOWN.get((module, name)):
            return known
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if module.split(".")[0] in _FORBIDDEN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no tensor")
        return _NotCalled(f"{module}.{name}", (Holder,), {})

    def persistent_load(self, pid: Pickled) -> Pickled:
        """Return the reference to a storage, or a module's class as it was read."""
        if pid[0] == "module":
            return pid[1]
        _, kind, key, _, count = pid[:5]
        return Storage(str(key), np.dtype(kind), int(count))


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Return {dotted name: array} of a PyTorch file; a file of one bare tensor names it "tensor".

    Raises UserError, naming the reason, for a file that is truncated, no PyTorch file, or would run code.
    """
    try:
        root, storages, byte_order = (_read_zip if zipfile.is_zipfile(path) else _read_stream)(path)
        return {name: tensor.read(storages[tensor.storage.key], byte_order) for name, tensor in _flat(root).items()}
    except Exception as error:  # broken and hostile pickles raise errors of every type
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path} is refused: {reason}; give a file of tensors (torch.save of a state dict)") from error


def _read_zip(path: Path) -> tuple[Pickled, Mapping[str, bytes], ByteOrder]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        root = next((name for name in names if name.endswith("data.pkl")), None)
        if root is None:
            raise ValueError("the archive has no data.pkl")
        prefix = root.removesuffix("data.pkl")
        order = archive.read(f"{prefix}byteorder").decode() if f"{prefix}byteorder" in names else "little"
        storages = {
            name.removeprefix(f"{prefix}data/"): archive.read(name)
            for name in names
            if name.startswith(f"{prefix}data/")
        }
        return _Unpickler(io.BytesIO(archive.read(root))).load(), storages, "<" if order == "little" else ">"


def _read_stream(path: Path) -> tuple[Pickled, Mapping[str, bytes], ByteOrder]:
    """Read magic number, protocol, system, object, storage keys; then per key a count and the raw elements."""
    stream = io.BytesIO(path.read_bytes())
    if _Unpickler(stream).load() != _LEGACY_MAGIC:
        raise ValueError("it is no PyTorch file")
    _, system = _Unpickler(stream).load(), _Unpickler(stream).load()
    root = _Unpickler(stream).load()
    sizes = {tensor.storage.key: tensor.storage.dtype.itemsize for tensor in _flat(root).values()}
    order = "<" if system.get("little_endian", True) else ">"
    storages: dict[str, bytes] = {}
    for key in map(str, _Unpickler(stream).load()):
        count = int(np.frombuffer(stream.read(8), np.dtype(np.int64).newbyteorder(order))[0])
        if key not in sizes:
            raise ValueError(f"storage {key} belongs to no tensor, so its size is unknown")
        storages[key] = stream.read(count * sizes[key])
    return root, storages, order


def _flat(value: Pickled, prefix: str = "", depth: int = 0) -> dict[str, Tensor]:
    """Return {dotted name: tensor} of nested dictionaries, lists and modules (their parameters, buffers, children)."""
    if depth > 100:
        raise ValueError("objects nested deeper than 100")
    if isinstance(value, Tensor):
        return {prefix or "tensor": value}
    if isinstance(value, Holder):
        state = value.state if isinstance(value.state, dict) else {}
        parts = [state.get(part) or {} for part in ("_parameters", "_buffers", "_modules")]
        value = {name: child for part in parts for name, child in part.items()}
    elif isinstance(value, list | tuple):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return {}
    tensors: dict[str, Tensor] = {}
    for name, child in value.items():
        tensors |= _flat(child, f"{prefix}.{name}" if prefix else str(name), depth + 1)
    return tensors
