"""NumPy files: .npy with one array, .npz with several; of objects, which are pickles, only lists of arrays are read."""

import io
import math
from collections.abc import Iterator
from pathlib import Path

import ml_dtypes
import numpy as np

from jaxsr.weights.readers.bounds import MAX_AXES, Budget, check_name, refusals
from jaxsr.weights.readers.pickled.pickle_objects import PickleRefused
from jaxsr.weights.readers.pickled.pickled_arrays import read_pickled
from jaxsr.weights.readers.zips import open_zip, read_member

REMEDY = "copy it again"
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
SKIPPED = "USMmT"  # kinds of texts and dates, which describe weights
NAMELESS = np.dtype("V2")  # as NumPy saves bfloat16


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return {name: array} of a .npz file, without texts; raises UserError for a broken one, and for objects."""
    with refusals(path, "not a readable .npz file", REMEDY):
        budget = Budget(path)
        with open_zip(path) as archive:
            members = ((name, read_member(archive, name, budget)) for name in archive.namelist())
            return {
                key: array
                for name, content in members
                for key, array in _arrays(name, check_name(name).removesuffix(".npy"), content)
            }


def read_npy(path: Path) -> dict[str, np.ndarray]:
    """Return {"tensor": array} of a .npy file; raises UserError as `read_npz` does."""
    with refusals(path, "not a readable .npy file", REMEDY):
        return dict(_arrays("the array", "tensor", path.read_bytes()))


def _arrays(name: str, key: str, content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the array of a member by its `key`, those of a pickled list by its key and their numbers."""
    parsed = parse_array(name, content)
    if isinstance(parsed, list):
        yield from ((f"{key}.{i}", array) for i, array in enumerate(parsed))
    elif parsed is not None:
        yield key, parsed


def parse_array(name: str, content: bytes) -> np.ndarray | list[np.ndarray] | None:
    """Return the array of the bytes of a .npy file, the arrays in it where they are pickled, None for texts.

    Raises ValueError where the bytes do not hold it, and for other objects than arrays.
    """
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"{name!r} has version {version} of the format, which weights do not need")
    shape, fortran, dtype = HEADERS[version](stream)
    if dtype.hasobject:
        try:
            return read_pickled(stream.read())
        except PickleRefused as error:
            raise ValueError(f"{name!r} holds objects, which are pickles ({error}); save plain arrays") from None
    if dtype.kind in SKIPPED:
        return None
    start, count = stream.tell(), math.prod(_checked(name, shape))
    if dtype.itemsize * count > len(content) - start:
        raise ValueError(f"{name!r} of {shape} {dtype} needs more than the {len(content) - start} bytes it has")
    array = np.frombuffer(content, dtype, count, start) if count else np.zeros(0, dtype)
    array = array.reshape(shape, order="F" if fortran else "C")
    return array.view(ml_dtypes.bfloat16) if dtype == NAMELESS else array


def _checked(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) > MAX_AXES or not all(0 <= side < 2**48 for side in shape):
        raise ValueError(f"{name!r} has sides out of bounds, or more than {MAX_AXES} axes")
    return shape
