"""Which of this process's devices share an array, and how a function runs on their shares of it."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import ArrayLike

from jaxsr.support.types import AnyArray, Device, Tree

T = TypeVar("T")  # a tree that comes back in the same structure

BATCH_AXIS = "batch"  # the axis of devices that share a training batch
TILES_AXIS, ROWS_AXIS = "tiles", "rows"  # the axes of devices that share the tiles of a photo, or the rows of one tile
CPU_FACTS = Path("/proc/cpuinfo")  # where Linux says what the processor can do
MIN_ROWS = 24  # per device; with fewer, the halo exchange takes longer than sharing saves


def on_accelerator() -> bool:
    """Return whether JAX computes on GPUs or TPUs."""
    return jax.default_backend() != "cpu"


def has_bf16() -> bool:
    """Return whether this machine's devices multiply bfloat16 numbers; others compute in float32 and round, slower."""
    if on_accelerator():  # of NVIDIA's GPUs, those from Ampere on
        capability = str(getattr(jax.local_devices()[0], "compute_capability", ""))
        return not capability.replace(".", "").isdecimal() or float(capability) >= 8
    return not _words_of(CPU_FACTS).isdisjoint(("avx512_bf16", "amx_bf16"))


@functools.cache  # long on machines of many cores, and asked for every photo
def _words_of(file: Path) -> frozenset[str]:
    return frozenset(file.read_text().split()) if file.exists() else frozenset()


def local_mesh(count: int, axis: str) -> Mesh:
    """Return the mesh of the first `count` local devices (at most all of them) along `axis`."""
    return Mesh(np.array(jax.local_devices()[:count]), (axis,))


def tile_mesh(count: int, rows: int) -> Mesh:
    """Return the mesh of `count` devices that share tiles; for a single tile, of the devices that share its `rows`.

    Rows are shared only where each device gets the same number of them, at least MIN_ROWS. With `rows` 0 they are not.
    """
    if count > 1:
        return local_mesh(count, TILES_AXIS)
    total = jax.local_device_count()
    even = [n for n in range(2, total + 1) if rows % n == 0 and rows >= n * MIN_ROWS]
    return local_mesh(max(even, default=1), ROWS_AXIS)


def shares_rows(mesh: Mesh) -> bool:
    """Return whether the devices of `mesh` share the rows of one tile instead of several tiles."""
    return mesh.axis_names == (ROWS_AXIS,)


def place_replicated(tree: T, mesh: Mesh) -> T:
    """Return `tree` with every array whole on each device of `mesh`."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))


def place_split(tree: T, mesh: Mesh) -> T:
    """Return `tree` with every array split evenly over the devices of `mesh` along its first axis."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec(mesh.axis_names)))


def split_rows(images: jax.Array, mesh: Mesh) -> jax.Array:
    """Return `images` (N, H, W, C), inside a compiled function, with the rows split over the devices of `mesh`."""
    return jax.lax.with_sharding_constraint(images, NamedSharding(mesh, PartitionSpec(None, *mesh.axis_names)))


def map_shares(function: Callable[..., Tree], mesh: Mesh, *, whole: int = 0) -> Callable[..., Tree]:
    """Return `function` applied on each device to its share of the arguments; shares are split along the first axis.

    The first `whole` arguments are not split: every device gets all of them. Results are joined along the first axis.
    """
    split = PartitionSpec(mesh.axis_names)

    def call(*arguments: Tree) -> Tree:
        specs = tuple(PartitionSpec() if i < whole else split for i in range(len(arguments)))
        return jax.shard_map(function, mesh=mesh, in_specs=specs, out_specs=split, check_vma=False)(*arguments)

    return call


def map_examples(function: Callable[..., Tree], devices: Sequence[Device]) -> Callable[..., Tree]:
    """Return `function`, written for one example, for arguments (devices, share, ...) that `devices` work on.

    A share of 1 is not run as a batch of one, whose matrix products XLA would round differently.
    """

    def on_share(*arguments: Tree) -> Tree:
        if len(jax.tree.leaves(arguments)[0]) > 1:
            return jax.vmap(function)(*arguments)
        result = function(*jax.tree.map(lambda leaf: leaf[0], arguments))
        return jax.tree.map(lambda leaf: leaf[None], result)

    return jax.pmap(on_share, axis_name=BATCH_AXIS, devices=list(devices))


def spread(arrays: Sequence[ArrayLike] | AnyArray, count: int) -> np.ndarray:
    """Return `arrays`, equal in shape and a multiple of `count` in number, as one of shape (count, share, ...)."""
    return np.stack(list(arrays)).reshape(count, -1, *np.shape(arrays[0]))
