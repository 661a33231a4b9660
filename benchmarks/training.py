"""Times one training step of every network against the same step in PyTorch, in one run, and prints ratio and memory.

pip install -e ".[bench]" && python -m benchmarks.training
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch  # pyright: ignore[reportMissingImports]
from absl import flags

from benchmarks.peers import peer
from benchmarks.tables import network, print_table
from jaxsr.models import Model, restored
from jaxsr.support import app
from jaxsr.training.parallel import average_over_devices, compile_steps, devices, replicate, shard

_PATCH = flags.DEFINE_integer("patch", 32, "side of a patch at the network's input, in pixels", lower_bound=8)
_BATCH = flags.DEFINE_integer("batch", 16, "patches per step", lower_bound=1)
RATE = 1e-4


def pair(model: Model, patch: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a network's input (batch, patch, patch, C) and the target for its output."""
    small = np.random.default_rng(0).random((batch, patch, patch, model.channels), np.float32)
    shape = restored(jax.eval_shape(model.apply, small)).shape
    return small, np.random.default_rng(1).random(shape, np.float32)


def in_jax(model: Model, small: np.ndarray, target: np.ndarray) -> Callable[[], float]:
    """Return a call that makes one step of Adam on the mean squared error, on all devices, and returns the loss."""
    optimizer, params = optax.adam(RATE), model.params
    statistics = {name: tree for name, tree in model.variables.items() if name != "params"}

    def step(
        state: tuple[Any, ...], _: Any, batch: tuple[jax.Array, jax.Array], count: jax.Array
    ) -> tuple[Any, jax.Array]:
        params, statistics, moments = state

        def loss_of(params: Any) -> tuple[jax.Array, Any]:
            variables, arguments = {"params": params, **statistics}, model.spec.training_arguments
            output, updated = model.module.apply(variables, batch[0], mutable=list(statistics), **arguments)
            return jnp.mean(jnp.square(restored(output) - batch[1])), updated

        found = jax.value_and_grad(loss_of, has_aux=True)(params)
        (loss, statistics), gradients = average_over_devices(found)
        updates, moments = optimizer.update(gradients, moments)
        return (optax.apply_updates(params, updates), statistics, moments), loss

    places = devices(len(small))
    compiled = compile_steps(step, places, sharded_data=True)
    state = (jax.tree.map(jnp.array, params), jax.tree.map(jnp.array, statistics), optimizer.init(params))
    held = [replicate(state, places)]
    batch = (shard(small[None], places)[:, 0], shard(target[None], places)[:, 0])

    def call() -> float:
        held[0], loss = compiled(held[0], {}, batch, 1)
        return float(loss)

    return call


def in_torch(model: Model, small: np.ndarray, target: np.ndarray) -> Callable[[], float]:
    """Return the same call in PyTorch, eager, in its own layout."""
    module = peer(model).train()
    optimizer = torch.optim.Adam(module.parameters(), lr=RATE)
    x, y = (torch.from_numpy(array.transpose(0, 3, 1, 2).copy()) for array in (small, target))

    def call() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.mse_loss(module(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return call


CONTESTANTS = {"jaxsr": in_jax, "PyTorch": in_torch}


def prepare(contestant: str, name: str, scale: int, patch: int, batch: int) -> Callable[[], float]:
    """Return a contestant's call, for a process of its own."""
    model = network(name, scale)
    return CONTESTANTS[contestant](model, *pair(model, patch, batch))


def compare(ours: Callable[[], float], theirs: Callable[[], float]) -> None:
    """Check that both contestants' first three losses agree: they make the same step."""
    np.testing.assert_allclose([ours() for _ in range(3)], [theirs() for _ in range(3)], rtol=1e-3)


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    patch, batch = _PATCH.value, _BATCH.value
    print_table(f"{batch} patches of {patch}x{patch} pixels, Adam", prepare, (patch, batch), compare)


if __name__ == "__main__":
    app.run(main)
