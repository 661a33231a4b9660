"""The arrays of a training state by path, as checkpoints hold them, and a state of them again."""

from collections.abc import Iterator

import jax
import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.training.state import TrainState

AVERAGE, PARAMS, STATISTICS = "average/", "params/", "statistics/"


def arrays_by_path(state: TrainState) -> dict[str, np.ndarray]:
    """Return {path: array} of `state`; paths look like `params/conv1/kernel` and `optimizer/3/0/trace/conv1/kernel`."""
    return {path: np.asarray(leaf) for path, leaf in _leaves(state)}


def state_from_arrays(template: TrainState, arrays: dict[str, np.ndarray]) -> TrainState:
    """Return the state of `arrays` in the structure of `template`.

    An average of the weights that only `arrays` hold is dropped; one that only `template` has starts at the weights.
    Raises UserError, naming the first array, where they do not fit otherwise.
    """
    wanted = dict(_leaves(template))
    found = {path: arrays[path] for path in arrays if path in wanted or not path.startswith(AVERAGE)}
    for path in wanted:
        if path.startswith(AVERAGE) and path not in found and (source := _averaged(path)) in arrays:
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


def _averaged(path: str) -> str:
    """Return the path of the array whose average is at `path`."""
    inner = path.removeprefix(AVERAGE)
    return inner if inner.startswith(PARAMS) else STATISTICS + inner
