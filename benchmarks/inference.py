"""Times every network on a whole photo against the same network in PyTorch, and prints ratio and memory.

jaxsr goes through the photo as `restore` does, in tiles on all cores; PyTorch takes it at once, as ports do. With
--batch both take so many photos at once, which the devices of jaxsr share.
pip install -e ".[bench]" && python -m benchmarks.inference
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from absl import flags
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from benchmarks.peers import peer
from benchmarks.tables import network, print_table
from jaxsr.imaging.resize import resize
from jaxsr.models import Model, restored
from jaxsr.restoration.enlarge import enlarge
from jaxsr.support import app

_HEIGHT = flags.DEFINE_integer("height", 512, "height of the small photo, in pixels", lower_bound=16)
_WIDTH = flags.DEFINE_integer("width", 768, "width of the small photo, in pixels", lower_bound=16)
_TILED = flags.DEFINE_bool(
    "tiled", True, "jaxsr in tiles; else at once, which costs less on a photo of one tile's size"
)
_BATCH = flags.DEFINE_integer("batch", 1, "photos at once", lower_bound=1)


def in_jax(model: Model, photos: np.ndarray, tiled: bool) -> Callable[[], np.ndarray]:
    """Return the call that enlarges `photos` (N, h, w, C), one by `enlarge`, several as a batch shared by devices."""
    if len(photos) == 1:
        return lambda: enlarge(model, photos[0], tile="auto" if tiled else None, quantize=False)[None]
    model = model.folded()
    mesh = Mesh(np.array(jax.local_devices()[: np.gcd(len(photos), jax.local_device_count())]), ("photos",))
    variables = jax.device_put(model.variables, NamedSharding(mesh, PartitionSpec()))
    split = PartitionSpec("photos")

    def network(variables: Any, x: jax.Array) -> jax.Array:
        x = resize(x, model.scale) if model.spec.pre_upsampled else x
        return restored(model.module.apply(variables, x))

    shared = jax.shard_map(network, mesh=mesh, in_specs=(PartitionSpec(), split), out_specs=split, check_vma=False)
    run = jax.jit(shared)
    return lambda: np.asarray(run(variables, photos))


def in_torch(model: Model, photos: np.ndarray, tiled: bool) -> Callable[[], np.ndarray]:
    """Return the same call in PyTorch, eager; a network that takes the enlargement gets it ready made."""
    module = peer(model)
    if model.spec.pre_upsampled:
        photos = np.stack([resize(photo, model.scale) for photo in photos]).astype(np.float32)
    x = torch.from_numpy(photos.transpose(0, 3, 1, 2).copy())

    def call() -> np.ndarray:
        with torch.inference_mode():
            return module(x).permute(0, 2, 3, 1).numpy()

    return call


CONTESTANTS = {"jaxsr": in_jax, "PyTorch": in_torch}


def prepare(
    contestant: str, name: str, scale: int, batch: int, height: int, width: int, tiled: bool
) -> Callable[[], Any]:
    """Return a contestant's call, for a process of its own."""
    model = network(name, scale)
    photos = np.random.default_rng(0).random((batch, height, width, model.channels), np.float32)
    return CONTESTANTS[contestant](model, photos, tiled)


def compare(ours: Callable[[], np.ndarray], theirs: Callable[[], np.ndarray]) -> None:
    """Check that both contestants give the same result."""
    expected = theirs()
    np.testing.assert_allclose(ours(), expected, atol=1e-4 * np.abs(expected).max())


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    batch, height, width = _BATCH.value, _HEIGHT.value, _WIDTH.value
    title = f"{batch} photos" if batch > 1 else "a photo"
    print_table(f"{title} of {width}x{height} pixels", prepare, (batch, height, width, _TILED.value), compare)


if __name__ == "__main__":
    app.run(main)
