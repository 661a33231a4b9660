"""Times every network on a whole photo against the same network in PyTorch, and prints ratio and memory.

jaxsr goes through the photo as `restore` does, in tiles on all cores; PyTorch takes it at once, as ports do.
pip install -e ".[bench]" && python -m benchmarks.inference
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from absl import flags

from benchmarks.peers import peer
from benchmarks.tables import network, print_table
from jaxsr.imaging.resize import resize
from jaxsr.models import Model
from jaxsr.restoration.enlarge import enlarge
from jaxsr.support import app

_HEIGHT = flags.DEFINE_integer("height", 512, "height of the small photo, in pixels", lower_bound=16)
_WIDTH = flags.DEFINE_integer("width", 768, "width of the small photo, in pixels", lower_bound=16)
_TILED = flags.DEFINE_bool(
    "tiled", True, "jaxsr in tiles; else at once, which costs less on a photo of one tile's size"
)


def in_jax(model: Model, photo: np.ndarray, tiled: bool) -> Callable[[], np.ndarray]:
    """Return the call that enlarges `photo` (h, w, C)."""
    return lambda: enlarge(model, photo, tile="auto" if tiled else None, quantize=False)


def in_torch(model: Model, photo: np.ndarray, tiled: bool) -> Callable[[], np.ndarray]:
    """Return the same call in PyTorch, eager; a network that takes the enlargement gets it ready made."""
    module = peer(model)
    photo = resize(photo, model.scale).astype(np.float32) if model.spec.pre_upsampled else photo
    x = torch.from_numpy(photo.transpose(2, 0, 1)[None].copy())

    def call() -> np.ndarray:
        with torch.inference_mode():
            return module(x)[0].permute(1, 2, 0).numpy()

    return call


CONTESTANTS = {"jaxsr": in_jax, "PyTorch": in_torch}


def prepare(contestant: str, name: str, scale: int, height: int, width: int, tiled: bool) -> Callable[[], Any]:
    """Return a contestant's call, for a process of its own."""
    model = network(name, scale)
    photo = np.random.default_rng(0).random((height, width, model.channels), np.float32)
    return CONTESTANTS[contestant](model, photo, tiled)


def compare(ours: Callable[[], np.ndarray], theirs: Callable[[], np.ndarray]) -> None:
    """Check that both contestants give the same result."""
    expected = theirs()
    np.testing.assert_allclose(ours(), expected, atol=1e-4 * np.abs(expected).max())


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    height, width = _HEIGHT.value, _WIDTH.value
    print_table(f"a photo of {width}x{height} pixels", prepare, (height, width, _TILED.value), compare)


if __name__ == "__main__":
    app.run(main)
