"""Training steps on all devices: one program, which in each process runs on that process's part of a batch."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxsr.devices import processes
from jaxsr.devices.meshes import BATCH_AXIS, on_accelerator, place_replicated, place_split
from jaxsr.support.errors import UserError
from jaxsr.support.types import Device, Key, Metrics, Tree

T = TypeVar("T")  # a tree that comes back in the same structure
Run = Callable[[Tree, Tree, Tree, jax.Array], tuple[Tree, Metrics]]  # (state, constants, data, count)
CompiledRun = Callable[[Tree, Tree, Tree, int], tuple[Tree, Metrics]]


def devices(batch_size: int) -> list[Device]:
    """Return the devices of this process that train: all of them, or on a CPU as many as share the batch evenly.

    Raises UserError for a `batch_size` that does not divide among the GPUs of all processes, or among the processes.
    """
    local, others = jax.local_devices(), processes.count()
    count = len(local)
    if batch_size % (others * count) == 0:
        return local
    if local[0].platform == "cpu":
        if batch_size % others == 0:
            return local[: max(n for n in range(1, count) if batch_size % (others * n) == 0)]
        count = 1
    total = others * count
    nearest = max(1, round(batch_size / total)) * total
    where = f"{total} devices" + (f" of {others} processes" if others > 1 else "")
    raise UserError(f"batch_size={batch_size} does not divide among {where}; the nearest that does is {nearest}")


def all_devices(devices: list[Device]) -> list[Device]:
    """Return the devices of all processes in the order of processes, from each as many as this one's `devices`."""
    if processes.count() == 1:
        return devices
    of_each = [[device for device in jax.devices() if device.process_index == i] for i in range(processes.count())]
    return [device for own in of_each for device in own[: len(devices)]]


def share_of(batch_size: int, devices: list[Device]) -> int:
    """Return how many examples of a batch one device gets, when this process trains on `devices`."""
    return batch_size // len(all_devices(devices))


def steps_per_dispatch(configured: int) -> int:
    """Return how many steps one program runs: `configured`, or if that is 0, 1 on a CPU and 20 on an accelerator.

    XLA's convolutions on a CPU are slow inside loops.
    """
    return configured or (20 if on_accelerator() else 1)


def average_over_devices(tree: T) -> T:
    """Return the mean of `tree` over all devices; call it inside a step."""
    return jax.lax.pmean(tree, BATCH_AXIS)


def example_keys(key: Key, step: jax.Array, count: int) -> jax.Array:
    """Return (count,) keys, one for each of this device's examples of `step`; call it inside a step.

    An example's key depends on its place in the global batch, so results do not depend on the number of devices.
    """
    key = jax.random.fold_in(key, step)
    places = jax.lax.axis_index(BATCH_AXIS) * count + np.arange(count)
    return jax.vmap(lambda place: jax.random.fold_in(key, place))(places)


def from_first_device(key: Key) -> Key:
    """Return the `key` that the first of all devices has, on each of them; call it inside a step."""
    gathered = jax.lax.all_gather(jax.random.key_data(key), BATCH_AXIS)
    return jax.random.wrap_key_data(gathered[0], impl=jax.random.key_impl(key))


def replicate(tree: T, devices: list[Device]) -> T:
    """Return `tree` whole on each of `devices`, in the layout of the compiled program, so that it compiles once."""
    return place_replicated(tree, Mesh(np.array(devices), (BATCH_AXIS,)))


def shard(batches: np.ndarray, devices: list[Device]) -> np.ndarray:
    """Return (devices, steps, share, ...) from this process's part of the batches (steps, batch, ...)."""
    steps, batch = batches.shape[:2]
    count = len(devices)
    return batches.reshape(steps, count, batch // count, *batches.shape[2:]).swapaxes(0, 1)


def put_sharded(batch: np.ndarray, devices: list[Device]) -> jax.Array:
    """Return (devices, 1, share, ...), each part on its device, from this process's part of a batch (n, ...)."""
    mesh = Mesh(np.array(devices), (BATCH_AXIS,))
    return place_split(shard(batch[None], devices), mesh)  # type: ignore[return-value]  # what was NumPy is JAX's


def dispatch_of(batches: list[jax.Array], steps: int) -> jax.Array:
    """Return (devices, steps, share, ...) from batches that `put_sharded` returned; the last fills up missing steps."""
    return batches[0] if steps == 1 else _joined(batches + batches[-1:] * (steps - len(batches)))


@jax.jit
def _joined(batches: list[jax.Array]) -> jax.Array:
    return jnp.concatenate(batches, axis=1)


def compile_steps(run: Run, devices: list[Device], *, sharded_data: Tree) -> CompiledRun:
    """Return `run(state, constants, data, count) -> (state, metrics)` compiled for `devices`; `state` is donated.

    `devices` are this process's; all processes run the program together. `constants` are whole on each device (see
    `replicate`). `data` is split over the devices (`sharded_data` True, see `dispatch_of`) or whole on each (False);
    a dictionary of both says so for each of its names.
    """
    data_axes = jax.tree.map(lambda sharded: 0 if sharded else None, sharded_data)
    mapped = jax.pmap(
        run,
        axis_name=BATCH_AXIS,
        in_axes=(None, None, data_axes, 0),
        out_axes=(None, None),
        donate_argnums=(0,),
        devices=all_devices(devices),
    )

    def call(state: Tree, constants: Tree, data: Tree, count: int) -> tuple[Tree, Metrics]:
        # pmap needs at least one argument that is split over the devices; the count serves, as nothing else always is
        result = mapped(state, constants, data, np.full(len(devices), count, np.int32))
        # On a CPU a step that waits in an average holds a thread that the next step may need: run one at a time
        return jax.block_until_ready(result) if devices[0].platform == "cpu" else result

    return call
