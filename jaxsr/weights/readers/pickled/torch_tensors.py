"""Tensors in the pickles of PyTorch files: views of storages, and what stands for the names that the pickles use.

Nothing that a file names is imported: known names map to functions here, other classes to inert holders of their state.
"""

import dataclasses
import io
import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import ml_dtypes
import numpy as np

from jaxsr.weights.readers.bounds import MAX_AXES, check_name
from jaxsr.weights.readers.pickled.pickle_objects import Global, Holder, Pickled, PickleRefused, check_key, pairs
from jaxsr.weights.readers.pickled.pickles import Machine

ByteOrder: TypeAlias = Literal["<", ">"]
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


def load_pickle(stream: io.BytesIO) -> Pickled:
    return Machine(_find, _persistent).load(stream)
