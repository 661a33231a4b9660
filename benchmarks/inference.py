"""Times every network on a photo against the same network in PyTorch, eager and compiled.

jaxsr goes through the photo as `restore` does, in tiles on all cores; PyTorch takes it at once, as ports do. With
--batch both take so many photos at once, which the devices of jaxsr share.
pip install -e ".[bench]" && python -m benchmarks.inference
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from benchmarks.cases import SIZES
from benchmarks.peers import peer
from benchmarks.peers.accelerator import computing, placed, planes
from benchmarks.tables import Table, network, run
from benchmarks.trials import Case, Trial, table
from jaxsr.imaging.color import from_range, to_range
from jaxsr.imaging.resize import resize
from jaxsr.models import MODELS, Model, restored_image
from jaxsr.models.srntt import FACTORS, Maps, map_sizes
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tiled_run import restore_tiled


def random_maps(model: Model, count: int, height: int, width: int) -> tuple[np.ndarray, ...]:
    """Return what a network needs beside `count` photos: SRNTT's maps (N, factor h, factor w, F), or nothing."""
    if "reference" not in model.needs:
        return ()
    rng = np.random.default_rng(1)
    return tuple(rng.random((count, *size), np.float32) for size in map_sizes(height, width))


def in_jax(model: Model, photos: np.ndarray, maps: Sequence[np.ndarray]) -> Callable[[], np.ndarray]:
    """Return the call that enlarges `photos` (N, h, w, C): one by its tiles, several as a batch shared by devices."""
    if len(photos) > 1:
        return batch_in_jax(model, photos)

    def maps_of_tile(top: int, left: int, height: int, width: int) -> Maps:
        pairs = zip(maps, FACTORS.values(), strict=True)
        return Maps(*(x[0, f * top : f * (top + height), f * left : f * (left + width)] for x, f in pairs))

    options, inputs = RestoreOptions(quantize=False), maps_of_tile if maps else None
    cache = TileCache()  # which keeps the weights on the device, where PyTorch's are
    return lambda: restore_tiled(model, photos[0], options, extra_inputs=inputs, cache=cache)[0][None]


def batch_in_jax(model: Model, photos: np.ndarray) -> Callable[[], np.ndarray]:
    """Return the call that takes `photos` as one batch, of which each device has its part."""
    model = model.folded()
    mesh = Mesh(np.array(jax.local_devices()[: np.gcd(len(photos), jax.local_device_count())]), ("photos",))
    variables = jax.device_put(model.variables, NamedSharding(mesh, PartitionSpec()))
    split = PartitionSpec("photos")

    def apply(variables: Any, x: jax.Array) -> jax.Array:
        x = resize(x, model.scale) if model.spec.pre_upsampled else x
        y = restored_image(model.module.apply(variables, to_range(x, model.spec.value_range)))
        return from_range(y, model.spec.value_range)

    shared = jax.shard_map(apply, mesh=mesh, in_specs=(PartitionSpec(), split), out_specs=split, check_vma=False)
    compiled = jax.jit(shared)
    return lambda: np.asarray(compiled(variables, photos))


def in_torch(
    model: Model, photos: np.ndarray, maps: Sequence[np.ndarray], *, compiled: bool
) -> Callable[[], np.ndarray]:
    """Return the same call in PyTorch; a network that takes the enlargement, or maps, gets them ready made."""
    module = placed(peer(model))
    module = torch.compile(module) if compiled else module
    if model.spec.pre_upsampled:
        photos = np.stack([resize(photo, model.scale) for photo in photos])
    inputs = [planes(to_range(photos, model.spec.value_range)), *map(planes, maps)]

    def call() -> np.ndarray:
        with torch.inference_mode(), computing():
            y = from_range(module(*inputs), model.spec.value_range)
            return y.permute(0, 2, 3, 1).float().cpu().numpy()

    return call


def prepare(contestant: str, name: str, scale: int, batch: int, height: int, width: int) -> Callable[[], Any]:
    """Return a contestant's call, for a process of its own."""
    model = network(name, scale)
    photos = np.random.default_rng(0).random((batch, height, width, model.channels), np.float32)
    maps = random_maps(model, batch, height, width)
    if contestant == "jaxsr":
        return in_jax(model, photos, maps)
    return in_torch(model, photos, maps, compiled=contestant == "compiled")


def observe(call: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the restored photos."""
    return call()


TRIAL = Trial(prepare, observe, tolerance=1e-4)


def case(name: str, scale: int, batch: int, height: int, width: int) -> Case:
    """Return the row of a network; sizes of 0 are those of `SIZES`."""
    size = SIZES[name]
    height, width = height or size.height, width or size.width
    label = f"{name} x{scale}, {width}x{height}" + (f", {batch} photos" if batch > 1 else "")
    return Case(label, (name, scale, batch, height, width), batch * scale**2 * height * width / 1e6)


def tables(
    *,
    networks: Sequence[str] = tuple(SIZES),
    scales: Sequence[str] = (),
    batch: int = 1,
    height: int = 0,
    width: int = 0,
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the table; without `scales` each network has its paper's main one, with them those that it has."""
    chosen = [
        (name, scale)
        for name in networks
        for scale in map(int, scales or [SIZES[name].scale])
        if scale in MODELS[name].scales
    ]
    cases = [case(name, scale, batch, height, width) for name, scale in chosen]
    yield table("A photo", TRIAL, cases, rounds)


if __name__ == "__main__":
    run(tables)
