"""MATLAB files: version 5 through SciPy, version 7.3 through h5py, both to the same flat names and layout."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
import scipy.io

from jaxsr.support.errors import UserError

Node: TypeAlias = Any  # an array, a cell as a list, a structure as a dictionary, or what SciPy and h5py have for them


def read_matlab(path: Path) -> dict[str, np.ndarray]:
    """Return {dotted name: array} of the numeric arrays in a .mat file, axes in MATLAB's order.

    Cells and structure arrays count from 0: `model.weight.0`. Entries of a structure array that have a `name`
    and a `value`, as MatConvNet's DagNN parameters do, go by that name: `net.params.conv1_f`. Raises UserError
    for a file that cannot be read.
    """
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path) as file:
                tree = {name: _from_hdf5(file, value) for name, value in file.items() if not name.startswith("#")}
        else:
            tree = {name: value for name, value in scipy.io.loadmat(path).items() if not name.startswith("__")}
        return dict(_flat(tree, ""))
    except Exception as error:  # the two readers raise errors of many types for broken files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path} is no readable MATLAB file ({reason}); copy it again or save it as .npz") from error


def _flat(value: Node, name: str) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _flat(child, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for key, child in _named(value):
            yield from _flat(child, f"{name}.{key}")
    elif not isinstance(value, np.ndarray):  # what SciPy cannot decode, such as function handles
        return
    elif value.dtype.names:  # SciPy's structure array
        yield from _flat(_single([_fields(entry) for entry in value.ravel(order="F")]), name)
    elif value.dtype == object:  # SciPy's cell array
        yield from _flat(list(value.ravel(order="F")), name)
    elif value.dtype.kind in "fiub" and value.size:
        yield name, value


def _fields(entry: Node) -> dict[str, Node]:
    return {field: entry[field] for field in entry.dtype.names}


def _single(entries: list[Node]) -> Node:
    """Return the one entry of a 1x1 structure, as MATLAB writes s.x and not s(1).x."""
    return entries[0] if len(entries) == 1 else entries


def _named(entries: list[Node]) -> Iterator[tuple[str, Node]]:
    for i, entry in enumerate(entries):
        if isinstance(entry, dict) and {"name", "value"} <= entry.keys():
            yield _text(entry["name"]), entry["value"]
        else:
            yield str(i), entry


def _text(value: Node) -> str:
    value = np.asarray(value)
    if value.dtype.kind == "U":
        return str(value.ravel()[0])
    return "".join(chr(int(code)) for code in value.ravel(order="F"))  # HDF5 stores characters as their codes


def _from_hdf5(file: h5py.File, value: Node) -> Node:
    """Return a dataset as an array, references as a list, and a group as a structure or structure array."""
    if isinstance(value, h5py.Group):
        fields = {name: _from_hdf5(file, child) for name, child in value.items()}
        lists = {name for name, child in value.items() if isinstance(child, h5py.Dataset) and _is_reference(child)}
        if {"name", "value"} <= lists:  # a structure array: one list per field
            return [{name: fields[name][i] for name in lists} for i in range(len(fields["value"]))]
        return fields
    if _is_reference(value):
        return [_from_hdf5(file, file[reference]) for reference in np.asarray(value).ravel()]
    return np.asarray(value).T  # HDF5 has MATLAB's axes in reverse


def _is_reference(dataset: h5py.Dataset) -> bool:
    return h5py.check_ref_dtype(dataset.dtype) is h5py.Reference
