"""Times one training step of every network against the same step in PyTorch, eager and compiled.

On a GPU also in bfloat16, as PyTorch does there by autocast; --size=gpu takes the papers' patches and batches.
pip install -e ".[bench]" && python -m benchmarks.training
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.adversarial_steps import CONFIGS
from benchmarks.arguments import check_names, whole_numbers
from benchmarks.cases import A_STEP, SIZES, SIZES_OF
from benchmarks.peers import peer
from benchmarks.peers.accelerator import as_contestant, computing, placed, planes, step_precisions
from benchmarks.tables import Table, network, run
from benchmarks.trials import Case, Trial, table
from jaxsr.devices.parallel import average_over_devices, compile_steps, devices, replicate, shard
from jaxsr.models import MODELS, Model, restored_image
from jaxsr.models.precision import computing_in
from jaxsr.support.errors import choose
from jaxsr.support.types import Metrics

RATE = 1e-4
BY_PIXELS = tuple(name for name in SIZES if name not in CONFIGS)


def pair(model: Model, patch: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a network's input (batch, patch, patch, C) and the target for its output."""
    small = np.random.default_rng(0).random((batch, patch, patch, model.channels), np.float32)
    shape = restored_image(jax.eval_shape(model.apply, small)).shape
    return small, np.random.default_rng(1).random(shape, np.float32)


def in_jax(model: Model, small: np.ndarray, target: np.ndarray, precision: str) -> Callable[[], float]:
    """Return a call that makes one step of Adam on the mean squared error, on all devices, and returns the loss."""
    optimizer, params = optax.adam(RATE), model.params
    statistics = {name: tree for name, tree in model.variables.items() if name != "params"}

    def step(
        state: tuple[Any, ...], _: Any, batch: tuple[jax.Array, jax.Array], count: jax.Array
    ) -> tuple[Any, Metrics]:
        params, statistics, moments = state

        def apply(params: Any, x: jax.Array) -> tuple[Any, Any]:
            variables, arguments = {"params": params, **statistics}, model.spec.training_arguments
            return model.module.apply(variables, x, mutable=list(statistics), **arguments)

        def loss_of(params: Any) -> tuple[jax.Array, Any]:
            output, updated = computing_in(precision, apply)(params, batch[0])
            return jnp.mean(jnp.square(restored_image(output) - batch[1])), updated

        found = jax.value_and_grad(loss_of, has_aux=True)(params)
        (loss, statistics), gradients = average_over_devices(found)
        updates, moments = optimizer.update(gradients, moments)
        return (optax.apply_updates(params, updates), statistics, moments), {"loss": loss}

    places = devices(len(small))
    compiled = compile_steps(step, places, sharded_data=True)
    state = (jax.tree.map(jnp.array, params), jax.tree.map(jnp.array, statistics), optimizer.init(params))
    held = [replicate(state, places)]
    batch = (shard(small[None], places)[:, 0], shard(target[None], places)[:, 0])

    def call() -> float:
        held[0], metrics = compiled(held[0], {}, batch, 1)
        return float(metrics["loss"])

    return call


def in_torch(
    contestant: str, model: Model, small: np.ndarray, target: np.ndarray, precision: str
) -> Callable[[], float]:
    """Return the same call in PyTorch, in its own layout."""
    module = placed(peer(model).train())
    optimizer = torch.optim.Adam(module.parameters(), lr=RATE)
    network = as_contestant(module, contestant)
    x, y = planes(small), planes(target)

    def call() -> float:
        optimizer.zero_grad(set_to_none=True)
        with computing(precision):
            output = network(x)
        loss = torch.nn.functional.mse_loss(output.float(), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return call


def prepare(contestant: str, name: str, scale: int, patch: int, batch: int, precision: str) -> Callable[[], float]:
    """Return a contestant's call, for a process of its own."""
    model = network(name, scale)
    given = pair(model, patch, batch)
    if contestant == "jaxsr":
        return in_jax(model, *given, precision)
    return in_torch(contestant, model, *given, precision)


def observe(call: Callable[[], float]) -> np.ndarray:
    """Return the losses of three steps, alike where the steps are."""
    return np.array([[call()] for _ in range(3)])


TRIAL = Trial(prepare, observe, tolerance=1e-3)


def case(name: str, scale: int, patch: int, batch: int, precision: str) -> Case:
    """Return the row of a network."""
    enlarged = 1 if MODELS[name].pre_upsampled else scale
    label = f"{name} x{scale}, {batch} of {patch}x{patch}"
    arguments = (name, scale, patch, batch, precision)
    return Case((label, precision), arguments, batch * (enlarged * patch) ** 2 / 1e6)


def tables(
    *,
    networks: Sequence[str] = BY_PIXELS,
    scales: Sequence[str] = (),
    precisions: Sequence[str] = (),
    size: str = "cpu",
    patch: int = 0,
    batch: int = 0,
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the table of Adam's steps on the mean squared error of so many patches, at the network's input."""
    sizes = choose("size", size, SIZES_OF)
    check_names("network", networks, SIZES)
    cases = [
        case(name, scale, patch or sizes[name].patch, batch or sizes[name].batch, precision)
        for name in networks
        if name in BY_PIXELS
        for scale in whole_numbers("scales", scales) or [sizes[name].scale]
        if scale in MODELS[name].scales
        for precision in step_precisions(precisions)
    ]
    yield table(A_STEP, ("network", "precision"), TRIAL, cases, rounds)


if __name__ == "__main__":
    run(tables)
