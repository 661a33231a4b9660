"""The arrays of a training state by path, as checkpoints hold them, and a state of them again."""

import re
from collections.abc import Iterator, Mapping

import jax
import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.training.state import TrainState

AVERAGE, PARAMS, STATISTICS = "average/", "params/", "statistics/"
_COUNTER = re.compile(r"((?:adversary/)?optimizer/).*count")  # of the updates that an optimizer has made


def arrays_by_path(state: TrainState) -> dict[str, np.ndarray]:
    """Return {path: array} of `state`; paths look like `params/conv1/kernel` and `optimizer/3/0/trace/conv1/kernel`."""
    return {path: np.asarray(leaf) for path, leaf in _leaves(state)}


def state_from_arrays(template: TrainState, arrays: dict[str, np.ndarray]) -> TrainState:
    """Return the state of `arrays` in the structure of `template`.

    An average of the weights that only `arrays` hold is dropped; one that only `template` has starts at the weights.
    Likewise a counter of updates, such as that of adjustable clipping, is dropped, or starts at what the optimizer's
    others say. Raises UserError, naming the first array, where they do not fit otherwise.
    """
    wanted = dict(_leaves(template))
    found = {path: array for path, array in arrays.items() if path in wanted or not _may_be_dropped(path)}
    for path in wanted.keys() - found.keys():
        if (source := _source(path, arrays)) in arrays:
            found[path] = arrays[source]
    for path in sorted(wanted.keys() | found.keys()):
        shapes = [np.shape(leaves[path]) if path in leaves else None for leaves in (found, wanted)]
        if shapes[0] != shapes[1]:
            raise UserError(
                f"the checkpoint does not fit this config: {path} has shape {shapes[0]} there, {shapes[1]} here; "
                f"choose another --workdir or the config that it began with"
            )
    leaves = [found[path] for path in wanted]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


def _leaves(state: TrainState) -> Iterator[tuple[str, jax.Array]]:
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        yield jax.tree_util.keystr(path, simple=True, separator="/"), leaf


def _may_be_dropped(path: str) -> bool:
    """Return whether a state goes on without the array at `path`."""
    return path.startswith(AVERAGE) or _COUNTER.fullmatch(path) is not None


def _source(path: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Return the path of the array that the missing one at `path` starts as; "" where there is none.

    An average starts as what it is of, a counter as another of the same optimizer: all count the same updates.
    """
    if path.startswith(AVERAGE):
        inner = path.removeprefix(AVERAGE)
        return inner if inner.startswith(PARAMS) else STATISTICS + inner
    if counter := _COUNTER.fullmatch(path):
        others = (other for other in arrays if (match := _COUNTER.fullmatch(other)) and match[1] == counter[1])
        return next(others, "")
    return ""
