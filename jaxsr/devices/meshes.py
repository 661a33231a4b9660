"""Which of this process's devices share an array, and how a function runs on its shares."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

Tree = TypeVar("Tree")

BATCH_AXIS = "batch"  # the axis of the devices that share a training batch
TILES_AXIS, ROWS_AXIS = "tiles", "rows"  # of those that share the tiles of a photo, or the rows of one tile
MIN_ROWS = 24  # of a device; with fewer, the halo exchange takes longer than sharing saves


def local_mesh(count: int, axis: str) -> Mesh:
    """Return the mesh of the first `count` local devices (at most all of them) along `axis`."""
    return Mesh(np.array(jax.local_devices()[:count]), (axis,))


def tile_mesh(count: int, rows: int) -> Mesh:
    """Return the mesh of `count` devices that share tiles, or where one has all work, of those that share its `rows`.

    Each device then gets the same number of rows, MIN_ROWS or more. 0 rows are not shared.
    """
    if count > 1:
        return local_mesh(count, TILES_AXIS)
    total = jax.local_device_count()
    even = [n for n in range(2, total + 1) if rows % n == 0 and rows >= n * MIN_ROWS]
    return local_mesh(max(even, default=1), ROWS_AXIS)


def shares_rows(mesh: Mesh) -> bool:
    """Return whether the devices of `mesh` share the rows of one tile instead of several tiles."""
    return mesh.axis_names == (ROWS_AXIS,)


def place_replicated(tree: Tree, mesh: Mesh) -> Tree:
    """Return `tree` with every array whole on each device of `mesh`."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))


def place_split(tree: Tree, mesh: Mesh) -> Tree:
    """Return `tree` with every array split evenly over the devices of `mesh` along its first axis."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec(mesh.axis_names)))


def split_rows(images: jax.Array, mesh: Mesh) -> jax.Array:
    """Return `images` (N, H, W, C), inside a compiled function, with the rows split over the devices of `mesh`."""
    return jax.lax.with_sharding_constraint(images, NamedSharding(mesh, PartitionSpec(None, *mesh.axis_names)))


def map_shares(function: Callable[..., Any], mesh: Mesh, *, whole: int = 0) -> Callable[..., Any]:
    """Return `function` on each device's share of its arguments and results, which are split along the first axis.

    The first `whole` arguments are whole on every device.
    """
    split = PartitionSpec(mesh.axis_names)

    def call(*arguments: Any) -> Any:
        specs = tuple(PartitionSpec() if i < whole else split for i in range(len(arguments)))
        return jax.shard_map(function, mesh=mesh, in_specs=specs, out_specs=split, check_vma=False)(*arguments)

    return call


def map_examples(function: Callable[..., Any], devices: Sequence[Any]) -> Callable[..., Any]:
    """Return `function`, made for one example, for arguments (devices, share, ...) that `devices` work on.

    A share of 1 runs as it is, not as a batch of one, whose products would round otherwise.
    """

    def on_share(*arguments: Any) -> Any:
        if len(jax.tree.leaves(arguments)[0]) > 1:
            return jax.vmap(function)(*arguments)
        result = function(*jax.tree.map(lambda leaf: leaf[0], arguments))
        return jax.tree.map(lambda leaf: leaf[None], result)

    return jax.pmap(on_share, axis_name=BATCH_AXIS, devices=list(devices))


def spread(arrays: Any, count: int) -> np.ndarray:
    """Return equal `arrays`, a multiple of `count` of them, as one of shape (count, share, ...)."""
    return np.stack(arrays).reshape(count, -1, *np.shape(arrays[0]))
