"""Trees of parameters by path: {"conv1": {"kernel": x}} and {"conv1/kernel": x}."""

from collections.abc import Mapping

from flax import traverse_util

from jaxsr.support.types import Tree


def by_path(tree: Mapping[str, Tree]) -> dict[str, Tree]:
    """Return {path: leaf} of a nested dictionary; paths look like `conv1/kernel`."""
    return traverse_util.flatten_dict(dict(tree), sep="/")  # type: ignore[return-value]


def from_paths(leaves: Mapping[str, Tree]) -> dict[str, Tree]:
    """Return the nested dictionary of {path: leaf}."""
    return traverse_util.unflatten_dict(dict(leaves), sep="/")
