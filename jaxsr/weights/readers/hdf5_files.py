"""HDF5 files, as MATLAB 7.3 writes them: structures are groups, cells are references to hidden arrays."""

import math
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np

from jaxsr.weights.readers.bounds import MAX_DEPTH, MAX_NAME, Budget, check_count

Node: TypeAlias = Any  # an array, a cell as a list, a structure as a dictionary, None for what is no numbers
GZIP, SHUFFLE, CHECKSUM = 1, 2, 3
MAX_OBJECTS, MAX_CHUNKS = 10_000, 100_000  # HDF5 takes a tenth of a millisecond for each
FILTERS = (GZIP, SHUFFLE, CHECKSUM)  # MATLAB's; others are code that HDF5 would look for on the disk


def read_tree(path: Path, budget: Budget) -> dict[str, Node]:
    """Return the variables of a file; raises ValueError for links out of it, cycles, and what exceeds the budget."""
    with h5py.File(path) as file:
        return _Reader(file, budget).group(file, 0, hidden="#")


class _Reader:
    """Reads the objects of one file, each once per place that names it, and counts them."""

    def __init__(self, file: h5py.File, budget: Budget) -> None:
        self._file, self._budget = file, budget
        self._count = 0

    def group(self, group: h5py.Group, depth: int, hidden: str | None = None) -> dict[str, Node]:
        """Return what a group holds, without names that begin with `hidden`."""
        check_count(len(group), MAX_OBJECTS)
        names = [str(name) for name in group if hidden is None or not str(name).startswith(hidden)]
        return {name: self.node(_linked(group, name), depth + 1) for name in names}

    def node(self, value: h5py.HLObject, depth: int) -> Node:
        """Return a dataset as an array, references as a list, and a group as a structure or structure array."""
        self._count += 1
        check_count(self._count, MAX_OBJECTS)
        if depth > MAX_DEPTH:
            raise ValueError(f"groups or references nested deeper than {MAX_DEPTH}")
        if isinstance(value, h5py.Group):
            return self._structure(value, depth)
        if not isinstance(value, h5py.Dataset):
            return None
        if _is_reference(value):
            references = self._content(value).ravel()
            return [self.node(self._file[reference], depth + 1) for reference in references]
        return self._content(value).T if value.dtype.kind in "fiub" else None  # HDF5 has MATLAB's axes in reverse

    def _structure(self, group: h5py.Group, depth: int) -> Node:
        fields = self.group(group, depth)
        children = {name: _linked(group, name) for name in fields}
        lists = {name for name, child in children.items() if isinstance(child, h5py.Dataset) and _is_reference(child)}
        if {"name", "value"} <= lists:  # a structure array: one list per field
            count = min(len(fields[name]) for name in lists)
            return [{name: fields[name][i] for name in lists} for i in range(count)]
        return fields

    def _content(self, dataset: h5py.Dataset) -> np.ndarray:
        """Return a dataset's array, once all that HDF5 will allocate for it is off the budget."""
        name = f"{dataset.name!r:.{MAX_NAME}} of {dataset.shape} {dataset.dtype}"
        if dataset.is_virtual or dataset.external:
            raise ValueError(f"{name} lies in another file; give one file with everything in it")
        if dataset.shape is None:
            return np.zeros(0)
        created = dataset.id.get_create_plist()
        filters = [created.get_filter(i)[0] for i in range(created.get_nfilters())]
        if not set(filters) <= set(FILTERS):
            raise ValueError(f"{name} is compressed by filter {filters[0]}; save it by gzip or plainly")
        # Chunks can be larger than the dataset, and are kept compressed and decompressed
        if dataset.chunks:
            check_count(math.prod(-(-n // k) for n, k in zip(dataset.shape, dataset.chunks, strict=True)), MAX_CHUNKS)
            self._budget.spend(math.prod(dataset.chunks) * dataset.dtype.itemsize, f"a chunk of {name}")
        self._budget.spend(dataset.size * dataset.dtype.itemsize, name)
        if _is_reference(dataset):
            check_count(int(dataset.size or 0), MAX_OBJECTS)
        return np.asarray(dataset)


def _linked(group: h5py.Group, name: str) -> h5py.HLObject:
    """Return an object by its name; raises ValueError for links that lead elsewhere."""
    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
        raise ValueError(f"{name!r:.{MAX_NAME}} is {kind}; give one file with everything in it")
    return group[name]


def _is_reference(dataset: h5py.Dataset) -> bool:
    return h5py.check_ref_dtype(dataset.dtype) is h5py.Reference
