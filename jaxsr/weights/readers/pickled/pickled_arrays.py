"""Lists of arrays as NumPy pickles them into .npy and .npz files, read as data: TensorLayer saves networks so."""

import io
import math
from collections.abc import Callable, Iterator

import numpy as np

from jaxsr.weights.readers.bounds import MAX_AXES, MAX_DEPTH, MAX_TENSORS, check_count
from jaxsr.weights.readers.pickled.pickle_objects import Global, Holder, Pickled, PickleRefused
from jaxsr.weights.readers.pickled.pickles import Machine

NUMERIC = "fiub"


class _Array(Holder):
    """An array, whose state is (version, shape, type, whether columns come first, its bytes or objects)."""


class _Type(Holder):
    """A type of numbers, whose state begins with (version, byte order)."""

    def __init__(self, name: Pickled = "", *_: Pickled) -> None:
        self.name = name


def _encoded(text: Pickled, coding: Pickled = "latin1") -> bytes:
    """Return the bytes that Python 3 pickles as a text for Python 2."""
    if not isinstance(text, str) or coding != "latin1":
        raise PickleRefused("a text of another coding than latin1")
    return text.encode("latin1")


_CORES = [f"numpy.{core}" for core in ("core", "_core")]
_CALLS: dict[tuple[str, str], Callable[..., Pickled]] = {
    **{(f"{core}.multiarray", "_reconstruct"): lambda *_: _Array() for core in _CORES},
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encoded,
}
_KNOWN = {names: Global(".".join(names), call) for names, call in _CALLS.items()}
_KNOWN["numpy", "ndarray"] = Global("numpy.ndarray")


def read_pickled(content: bytes) -> list[np.ndarray]:
    """Return the arrays of numbers in a pickled array, list or dictionary, in order; raises ValueError for others."""
    value = Machine(_find, _refuse).load(io.BytesIO(content))
    arrays = list(_arrays(value, 0))
    check_count(len(arrays))
    return arrays


def _find(module: str, name: str) -> Global:
    if (module, name) not in _KNOWN:
        raise PickleRefused(f"it names {module}.{name}, which is not an array")
    return _KNOWN[module, name]


def _refuse(_: Pickled) -> Pickled:
    raise PickleRefused("it refers to something outside")


def _arrays(value: Pickled, depth: int) -> Iterator[np.ndarray]:
    if depth > MAX_DEPTH:
        raise ValueError(f"objects nested deeper than {MAX_DEPTH}")
    if isinstance(value, _Array):
        yield from _array(value, depth)
    elif isinstance(value, list | tuple):
        for i, each in enumerate(value):
            check_count(i, MAX_TENSORS)
            yield from _arrays(each, depth + 1)
    elif value is not None:
        raise PickleRefused(f"it holds a {type(value).__name__}, which is not an array")


def _array(value: _Array, depth: int) -> Iterator[np.ndarray]:
    """Yield an array of numbers, or those in an array of objects."""
    state = value.state
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], _Type):
        raise PickleRefused("an array without its numbers")
    _, shape, kind, fortran, content = state
    if kind.name in ("O8", "O4", "O", "|O"):
        if not isinstance(content, list):
            raise PickleRefused("an array of objects without a list of them")
        yield from _arrays(content, depth + 1)
        return
    content = content.encode("latin1") if isinstance(content, str) else content  # as Python 2 has bytes
    dtype = _dtype(kind)
    if not isinstance(shape, tuple) or len(shape) > MAX_AXES or not all(type(n) is int and n >= 0 for n in shape):
        raise PickleRefused("an array with sides that are not numbers")
    if not isinstance(content, bytes) or len(content) != math.prod(shape) * dtype.itemsize:
        raise PickleRefused(f"an array of {shape} {dtype} whose bytes are not as many")
    yield np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _dtype(kind: _Type) -> np.dtype:
    order = kind.state[1] if isinstance(kind.state, tuple) and len(kind.state) > 1 else "<"
    if not isinstance(kind.name, str) or kind.name[:1] not in NUMERIC or order not in ("<", ">", "|", "="):
        raise PickleRefused(f"an array of type {kind.name!r}, which are not numbers")
    return np.dtype(kind.name).newbyteorder(order)
