"""Times every network on a photo against the same network in PyTorch, eager and compiled.

jaxsr goes through the photo as `restore` does, in tiles on all cores; PyTorch takes it at once, as ports do. With
--batch both take so many photos at once, which the devices of jaxsr share. --size=gpu takes photos that fill a GPU.
Engines are jaxsr's, of those that are installed; each meets PyTorch in the same precision.
pip install -e ".[bench]" && python -m benchmarks.inference
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import jax
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from jax import numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from benchmarks.arguments import check_names, whole_numbers
from benchmarks.cases import A_PHOTO, PRECISIONS, SIZES, SIZES_OF
from benchmarks.peers import peer
from benchmarks.peers.accelerator import DEVICE, as_contestant, computing, placed, planes
from benchmarks.tables import Table, network, run
from benchmarks.trials import Case, Trial, table
from jaxsr.devices.meshes import has_bf16
from jaxsr.imaging.color import from_range, to_range
from jaxsr.imaging.resize import resize
from jaxsr.models import MODELS, Model, restored_image
from jaxsr.models.precision import computing_in
from jaxsr.models.srntt import FACTORS, Maps, map_sizes
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tiled_photos import restore_tiled
from jaxsr.support.errors import UserError, choose

XLA = "xla"
ENGINES = (XLA, "openvino", "onnxruntime")
CHOICES = {field.name for field in dataclasses.fields(RestoreOptions)} & {"engine", "precision"}


def random_maps(model: Model, count: int, height: int, width: int) -> tuple[np.ndarray, ...]:
    """Return what a network needs beside `count` photos: SRNTT's maps (N, factor h, factor w, F), or nothing."""
    if "reference" not in model.needs:
        return ()
    rng = np.random.default_rng(1)
    return tuple(rng.random((count, *size), np.float32) for size in map_sizes(height, width))


def in_jax(
    model: Model, photos: np.ndarray, maps: Sequence[np.ndarray], engine: str, precision: str
) -> Callable[[], np.ndarray]:
    """Return the call that enlarges `photos` (N, h, w, C): one by its tiles, several as a batch shared by devices."""
    if len(photos) > 1:
        return batch_in_jax(model, photos, precision)

    def maps_of_tile(top: int, left: int, height: int, width: int) -> Maps:
        pairs = zip(maps, FACTORS.values(), strict=True)
        return Maps(*(x[0, f * top : f * (top + height), f * left : f * (left + width)] for x, f in pairs))

    chosen: Any = {name: value for name, value in (("engine", engine), ("precision", precision)) if name in CHOICES}
    options, inputs = RestoreOptions(quantize=False, **chosen), maps_of_tile if maps else None
    cache = TileCache()  # which keeps the weights on the device, where PyTorch's are
    return lambda: restore_tiled(model, photos[0], options, extra_inputs=inputs, cache=cache)[0][None]


def batch_in_jax(model: Model, photos: np.ndarray, precision: str) -> Callable[[], np.ndarray]:
    """Return the call that takes `photos` as one batch, of which each device has its part."""
    model = model.folded()
    mesh = Mesh(np.array(jax.local_devices()[: np.gcd(len(photos), jax.local_device_count())]), ("photos",))
    variables = jax.device_put(model.variables, NamedSharding(mesh, PartitionSpec()))
    split = PartitionSpec("photos")

    def apply(variables: Any, x: jax.Array) -> jax.Array:
        x = resize(x, model.scale) if model.spec.pre_upsampled else x
        run = computing_in(precision, lambda variables, x: restored_image(model.module.apply(variables, x)))
        y = run(variables, to_range(jnp.asarray(x), model.spec.value_range))
        return from_range(y, model.spec.value_range)

    shared = jax.shard_map(apply, mesh=mesh, in_specs=(PartitionSpec(), split), out_specs=split, check_vma=False)
    compiled = jax.jit(shared)
    return lambda: np.asarray(compiled(variables, photos))


def in_torch(
    contestant: str, model: Model, photos: np.ndarray, maps: Sequence[np.ndarray], precision: str
) -> Callable[[], np.ndarray]:
    """Return the same call in PyTorch; a network that takes the enlargement, or maps, gets them ready made."""
    module = as_contestant(placed(peer(model)), contestant)
    if model.spec.pre_upsampled:
        photos = np.stack([resize(photo, model.scale) for photo in photos])
    inputs = [planes(to_range(photos, model.spec.value_range)), *map(planes, maps)]

    def call() -> np.ndarray:
        with torch.inference_mode(), computing(precision):
            y = from_range(module(*inputs), model.spec.value_range)
            return y.permute(0, 2, 3, 1).float().cpu().numpy()

    return call


def prepare(
    contestant: str, name: str, scale: int, shape: tuple[int, int, int], engine: str = XLA, precision: str = "float32"
) -> Callable[[], Any]:
    """Return a contestant's call, for a process of its own; `shape` is the number of photos, height and width."""
    model = network(name, scale)
    photos = np.random.default_rng(0).random((*shape, model.channels), np.float32)
    maps = random_maps(model, *shape)
    if contestant == "jaxsr":
        return in_jax(model, photos, maps, engine, precision)
    return in_torch(contestant, model, photos, maps, precision)


def observe(call: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the restored photos."""
    return call()


TRIAL = Trial(prepare, observe, tolerance=1e-4)


def case(name: str, scale: int, shape: tuple[int, int, int], engine: str, precision: str) -> Case:
    """Return the row of a network."""
    count, height, width = shape
    label = f"{name} x{scale}, {width}x{height}" + (f", {count} photos" if count > 1 else "")
    megapixels = count * scale**2 * height * width / 1e6
    return Case((label, engine, precision), (name, scale, shape, engine, precision), megapixels)


def engines_here(asked: Sequence[str]) -> list[str]:
    """Return the engines that jaxsr has and that are installed, of those `asked` for or of all."""
    there = [name for name in ENGINES if name == XLA or ("engine" in CHOICES and find_spec(name) and DEVICE == "cpu")]
    check_names("engine", asked, there)
    return list(asked) or there


def precisions_here(engine: str, asked: Sequence[str]) -> list[str]:
    """Return those `asked` for that `engine` has, or float32 and where it is faster with it bf16."""
    there = PRECISIONS if "precision" in CHOICES and engine != "onnxruntime" else PRECISIONS[:1]
    fast = DEVICE == "cuda" or (engine == "openvino" and has_bf16())
    check_names("precision", asked, PRECISIONS)
    return [name for name in asked if name in there] if asked else list(there[: 1 + fast])


def tables(
    *,
    networks: Sequence[str] = tuple(SIZES),
    scales: Sequence[str] = (),
    engines: Sequence[str] = (),
    precisions: Sequence[str] = (),
    size: str = "cpu",
    batch: int = 1,
    height: int = 0,
    width: int = 0,
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the table; without `scales` each network has its paper's main one, with them those that it has.

    Raises UserError for unknown names, and where nothing is left to measure.
    """
    sizes = choose("size", size, SIZES_OF)
    check_names("network", networks, SIZES)
    cases = [
        case(name, scale, (batch, height or sizes[name].height, width or sizes[name].width), engine, precision)
        for name in networks
        for scale in whole_numbers("scales", scales) or [sizes[name].scale]
        if scale in MODELS[name].scales
        for engine in engines_here(engines)
        for precision in precisions_here(engine, precisions)
    ]
    if not cases:
        raise UserError(
            f"--scales={','.join(scales)} --engines={','.join(engines)} --precisions={','.join(precisions)}: no "
            "network has such a scale, or no engine such a precision (onnxruntime: float32); name others, or none"
        )
    yield table(A_PHOTO, ("network", "engine", "precision"), TRIAL, cases, rounds)


if __name__ == "__main__":
    run(tables)
