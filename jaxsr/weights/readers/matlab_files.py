"""MATLAB files: version 5 through SciPy, version 7.3 through h5py, both to the same flat names and layout."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
import scipy

from jaxsr.weights.readers.bounds import MAX_NAME, Budget, check_name, refusals
from jaxsr.weights.readers.hdf5_files import read_tree
from jaxsr.weights.readers.matlab5_layout import check_layout

Node: TypeAlias = Any  # an array, a cell as a list, a structure as a dictionary, or what SciPy and h5py have for them


def read_matlab(path: Path) -> dict[str, np.ndarray]:
    """Return {dotted name: array} of the numeric arrays in a .mat file, axes in MATLAB's order.

    Cells and structure arrays count from 0: `model.weight.0`. Entries of a structure array that have a `name`
    and a `value`, as MatConvNet's DagNN parameters do, go by that name: `net.params.conv1_f`. Raises UserError
    for a file that cannot be read, leads to other files, or asks for more than a file of its size may.
    """
    with refusals(path, "not a readable MATLAB file", "copy it again or save it as .npz"):
        budget = Budget(path)
        if h5py.is_hdf5(path):
            return dict(_flat(read_tree(path, budget), ""))
        check_layout(path, budget)
        variables = scipy.io.loadmat(path, appendmat=False)
        return dict(_flat({name: value for name, value in variables.items() if not name.startswith("__")}, ""))


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
        yield check_name(name), value


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
    if not 0 < value.size <= MAX_NAME:
        raise ValueError(f"a name of {value.size} characters")
    if value.dtype.kind == "U":
        return str(value.ravel()[0])
    return "".join(chr(int(code)) for code in value.ravel(order="F"))  # HDF5 stores characters as their codes
