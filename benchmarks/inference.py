"""Times every network against the same network in PyTorch, in one run, and prints ratio and memory.

pip install -e ".[bench]" && python -m benchmarks.inference
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from absl import flags

from benchmarks.peers import peer
from benchmarks.tables import network, print_table
from jaxsr.models import Model
from jaxsr.support import app

_SIDE = flags.DEFINE_integer("side", 256, "height and width of the network's input, in pixels", lower_bound=16)


def window(model: Model, side: int) -> np.ndarray:
    """Return a network's input (1, side, side, C)."""
    return np.random.default_rng(0).random((1, side, side, model.channels), np.float32)


def in_jax(model: Model, x: np.ndarray) -> Callable[[], np.ndarray]:
    """Return the call that a caller of jaxsr makes: a NumPy array in, a NumPy array out."""
    apply = jax.jit(model.module.apply)
    variables = jax.device_put(model.variables)
    return lambda: np.asarray(apply(variables, x))


def in_torch(model: Model, x: np.ndarray) -> Callable[[], np.ndarray]:
    """Return the same call in PyTorch, eager, in its own layout."""
    module = peer(model)
    sample = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())

    def call() -> np.ndarray:
        with torch.inference_mode():
            return module(sample).numpy()

    return call


CONTESTANTS = {"jaxsr": in_jax, "PyTorch": in_torch}


def prepare(contestant: str, name: str, scale: int, side: int) -> Callable[[], Any]:
    """Return a contestant's call, for a process of its own."""
    model = network(name, scale)
    return CONTESTANTS[contestant](model, window(model, side))


def compare(ours: Callable[[], np.ndarray], theirs: Callable[[], np.ndarray]) -> None:
    """Check that both contestants give the same result."""
    np.testing.assert_allclose(ours(), theirs().transpose(0, 2, 3, 1), rtol=1e-3, atol=1e-4)


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    side = _SIDE.value
    print_table(f"one window of {side}x{side} pixels", prepare, (side,), compare)


if __name__ == "__main__":
    app.run(main)
