"""Safetensors files: names, types and shapes in a header of JSON, then the numbers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from jaxsr.weights.readers.bounds import MIB, check_count, check_name, refusals

MAX_HEADER = 32 * MIB
MAX_METADATA = 4 * MIB  # characters
TYPES = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"}


def read_safetensors(path: Path, *, remedy: str = "copy it again") -> tuple[dict[str, np.ndarray], Mapping[str, str]]:
    """Return {name: array} and the metadata of a file.

    Raises UserError, which ends in the `remedy`, for a broken file and for numbers that NumPy has no type for.
    """
    with _opened(path, remedy) as (file, metadata):
        names = list(file.keys())
        check_count(len(names))
        for name in names:
            _check_type(check_name(name), file.get_slice(name).get_dtype())
        return {name: file.get_tensor(name) for name in names}, metadata


def read_metadata(path: Path) -> Mapping[str, str]:
    """Return the metadata of a file, whose arrays are not read; raises UserError for a broken file."""
    with _opened(path, "copy it again") as (_, metadata):
        return metadata


@contextmanager
def _opened(path: Path, remedy: str) -> Iterator[tuple[Any, Mapping[str, str]]]:
    """Yield an open file, whose type is not public, and its metadata; what goes wrong becomes a UserError."""
    with refusals(path, "not a readable .safetensors file", remedy):
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > min(MAX_HEADER, path.stat().st_size):
            raise ValueError(f"its header of {length} bytes is longer than the file, or than {MAX_HEADER // MIB} MiB")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if sum(map(len, metadata.values())) > MAX_METADATA:
                raise ValueError(f"its metadata are longer than {MAX_METADATA // MIB} MiB")
            yield file, metadata


def _check_type(name: str, kind: str) -> None:
    if kind not in TYPES:
        raise ValueError(f"{name!r} holds numbers of type {kind}; save it as F32, F16 or BF16")
