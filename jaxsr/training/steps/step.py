"""The pixel step: a network's weights after an update that lowers its losses. Pure functions.

`forward_pass` and `apply_update` are shared with the adversarial step.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from jaxsr.devices.parallel import average_over_devices
from jaxsr.imaging.color import from_range, to_range
from jaxsr.models import ModelSpec, restored_image
from jaxsr.models.precision import computing_in, to_dtype
from jaxsr.models.srntt import Maps
from jaxsr.support.randomness import Stream, streams
from jaxsr.support.types import Key, Metrics, Params, Tree, Variables
from jaxsr.training.batches import Batches
from jaxsr.training.config import Config
from jaxsr.training.objectives.objective import Losses, Results, Targets
from jaxsr.training.objectives.vgg_features import SwapFeatures
from jaxsr.training.optimizers import without_frozen
from jaxsr.training.state import TrainState, update_average
from jaxsr.training.steps.accumulation import Differentiate, ForwardPass, differentiate

MakeBatch = Callable[[Tree, Key], Batches]  # (crops of the feed, keys) -> a batch of each scale
Step = Callable[[TrainState, Params, Tree, Key], tuple[TrainState, Metrics]]  # (state, vgg_params, crops, keys)


class Examples(NamedTuple):
    """What a network learns from in a step, or in a part of one: arrays (N, ...) and a key for each (N,)."""

    batches: Batches
    swapped: Maps | None
    keys: Key


Forward = Callable[[Params, Variables, Examples], tuple[Results, Variables]]


@dataclasses.dataclass(frozen=True)
class StepSpec:
    """What a step of either kind is made of.

    `make_batch(crops, keys)` turns the feed's crops into a batch of each scale, `forward(params, statistics, examples)`
    is the network, `swap_features` gives SRNTT its maps. An `ema_decay` of 0 keeps no moving average.
    """

    make_batch: MakeBatch
    forward: Forward
    losses: Losses
    optimizer: optax.GradientTransformation
    ema_decay: float = 0.0
    swap_features: SwapFeatures | None = None
    differentiate: Differentiate = differentiate


def make_pixel_step(spec: StepSpec) -> Step:
    """Return the step `(state, vgg_params, crops, keys) -> (state, metrics)` that lowers `spec.losses`."""

    def step(state: TrainState, vgg_params: Params, crops: Tree, keys: Key) -> tuple[TrainState, Metrics]:
        def loss(results: Results, examples: Examples, statistics: Variables) -> tuple[jax.Array, Metrics]:
            targets = Targets(examples.batches, examples.swapped, vgg_params)
            return spec.losses(results, targets, statistics, state.step)

        statistics, (metrics, gradients) = forward_pass(spec, state, vgg_params, crops, keys).backward(loss)
        return apply_update(spec, state, statistics, gradients, metrics)

    return step


def forward_pass(spec: StepSpec, state: TrainState, vgg_params: Params, crops: Tree, keys: Key) -> ForwardPass:
    """Return the network's pass over what is made of `crops`: y are its Results, aux the Examples."""

    def forward(params: Params, statistics: Variables, part: tuple[Tree, Key]) -> tuple[Results, tuple[Examples, Tree]]:
        crops, keys = part
        batches = spec.make_batch(crops, keys)
        swapped = None
        if spec.swap_features:
            (batch,) = batches.values()
            swapped = spec.swap_features(vgg_params, batch, keys)
        examples = Examples(batches, swapped, keys)
        results, statistics = spec.forward(params, statistics, examples)
        return results, (examples, statistics)

    return spec.differentiate(forward, state.params, state.statistics, (crops, keys))


def apply_update(
    spec: StepSpec, state: TrainState, statistics: Variables, gradients: Params, metrics: Metrics
) -> tuple[TrainState, Metrics]:
    """Return the state after the optimizer's update by the mean over all devices, and the mean metrics."""
    statistics, gradients, metrics = average_over_devices((statistics, gradients, metrics))
    updates, optimizer = spec.optimizer.update(gradients, state.optimizer, state.params)
    params = optax.apply_updates(state.params, updates)
    variables: Variables = {"params": params, **statistics}  # type: ignore[dict-item]
    average = update_average(state.average, variables, spec.ema_decay, state.step)
    metrics = {**metrics, "psnr": -10 * jnp.log10(metrics["error"]), "gradient_norm": optax.tree.norm(gradients)}
    del metrics["error"]
    state = dataclasses.replace(
        state, step=state.step + 1, params=params, statistics=statistics, average=average, optimizer=optimizer
    )
    return state, metrics


def make_forward(config: Config, spec: ModelSpec, losses: Losses) -> Forward:
    """Return `forward(params, statistics, examples)`: results by scale in [0, 1], and new statistics."""
    options = {**config.model.options.to_dict(), **spec.training_options}
    kwargs = {**spec.training_arguments, **losses.call_kwargs}
    drops_features = "keys" in inspect.signature(spec.build.__call__).parameters
    rates = config.optimizer.layer_rates.to_dict()

    def forward(params: Params, statistics: Variables, examples: Examples) -> tuple[Results, Variables]:
        params = without_frozen(params, rates)
        keyed = {"keys": streams(examples.keys, Stream.DROPOUT)} if drops_features else {}
        results = {}
        for scale, batch in examples.batches.items():
            apply = functools.partial(apply_network, spec.module(scale, **options), {**kwargs, **keyed})
            x = to_range(batch.lr, spec.value_range)
            result, statistics = computing_in(config.precision, apply)(params, x, statistics, examples.swapped)
            in_unit_range = spec.value_range == (0.0, 1.0)
            results[scale] = result if in_unit_range else from_range(restored_image(result), spec.value_range)
        return results, statistics

    return forward


def apply_network(
    network: nn.Module, kwargs: dict[str, Tree], params: Params, x: jax.Array, statistics: Variables, maps: Maps | None
) -> tuple[Tree, Variables]:
    """Return what `network` makes of `x`, and its statistics after it; constants such as DAN's basis stay.

    `maps` are cast to the numbers that `x` has; statistics and constants are float32.
    """
    constants = {name: tree for name, tree in statistics.items() if name == "constants"}
    moving = {name: tree for name, tree in statistics.items() if name != "constants"}
    inputs = (x,) if maps is None else (x, to_dtype(maps, x.dtype))
    result, moving = network.apply({"params": params, **moving, **constants}, *inputs, mutable=list(moving), **kwargs)
    return result, {**moving, **constants}
