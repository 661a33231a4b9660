"""Training steps: pure functions `(state, batch, keys) -> (state, metrics)`."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsr.imaging.color import luma
from jaxsr.imaging.degradation import bicubic_pair, pair_context
from jaxsr.imaging.patches import center_crop, dihedral, stretch_levels
from jaxsr.models import ModelSpec
from jaxsr.support.errors import choose
from jaxsr.training.config import Config
from jaxsr.training.losses import LOSSES
from jaxsr.training.parallel import average_over_devices, example_keys
from jaxsr.training.state import TrainState, update_average

Metrics = dict[str, jax.Array]
Step = Callable[[TrainState, jax.Array, jax.Array], tuple[TrainState, Metrics]]
Draw = Callable[[Any, Any, jax.Array], jax.Array]  # (data, number of the step in it, keys) -> uint8 crops


def crop_size(config: Config, spec: ModelSpec) -> int:
    """Return the side of the HR crop that makes one patch, its context for the bicubic kernel included.

    With `data.scales`, whose patches are measured on the enlargement, it is a multiple of every scale.
    """
    context = 2 * pair_context(spec.pre_upsampled)
    if config.data.scales:
        period = math.lcm(*config.data.scales)
        return -(-(config.data.patch + max(config.data.scales) * context) // period) * period
    return config.model.scale * (config.data.patch + context)


def pixel_step(config: Config, spec: ModelSpec, module: Any, optimizer: optax.GradientTransformation) -> Step:
    """Return the step that fits a network's output to the sharp patch, pixel by pixel."""
    per_element, reduce = choose("loss", config.loss, LOSSES)

    def loss_of(params: Any, small: jax.Array, sharp: jax.Array) -> tuple[jax.Array, jax.Array]:
        output = module.apply({"params": params}, small)
        target = center_crop(sharp, *output.shape[1:3])  # unpadded networks return less than they take
        return reduce(per_element(output=output, target=target)), jnp.mean(jnp.square(output - target))

    def step(state: TrainState, hr: jax.Array, keys: jax.Array) -> tuple[TrainState, Metrics]:
        small, sharp = make_pair(hr, keys, config, spec, module.channels)
        (loss, error), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.params, small, sharp)
        gradients, loss, error = average_over_devices((gradients, loss, error))
        updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        average = update_average(state.average, params, config.ema_decay, state.step) if state.average else {}
        metrics = {"loss": loss, "psnr": -10 * jnp.log10(error), "gradient_norm": optax.tree.norm(gradients)}
        return TrainState(state.step + 1, state.key, params, average, optimizer_state), metrics

    return step


def make_pair(
    hr: jax.Array, keys: jax.Array, config: Config, spec: ModelSpec, channels: int
) -> tuple[jax.Array, jax.Array]:
    """Return the network's input and its target from uint8 crops `hr` (N, S, S, 3), turned by each example's key."""
    hr = hr.astype(jnp.float32) / 255
    hr = luma(hr) if channels == 1 else hr
    if config.data.augment:
        turns = jax.vmap(lambda key: jax.random.randint(jax.random.fold_in(key, 1), (), 0, 8))(keys)
        hr = jax.vmap(dihedral)(hr, turns)
    if config.data.stretch:
        hr = jax.vmap(functools.partial(stretch_levels, share=config.data.stretch))(keys, hr)
    if config.data.scales:
        return mixed_pair(hr, keys, config)
    return bicubic_pair(hr, config.model.scale, enlarged=spec.pre_upsampled, quantize=config.data.quantize_lr)


def mixed_pair(hr: jax.Array, keys: jax.Array, config: Config) -> tuple[jax.Array, jax.Array]:
    """Return enlargements and targets (N, patch, patch, C), each example at one of `data.scales` by its key."""
    side, scales = config.data.patch, config.data.scales
    chosen = jax.vmap(lambda key: jax.random.randint(jax.random.fold_in(key, 3), (), 0, len(scales)))(keys)
    chosen = chosen.reshape(-1, 1, 1, 1)
    inputs = jnp.zeros((len(hr), side, side, hr.shape[-1]))
    for i, scale in enumerate(scales):
        enlarged, _ = bicubic_pair(hr, scale, enlarged=True, quantize=config.data.quantize_lr)
        inputs = jnp.where(chosen == i, center_crop(enlarged, side, side), inputs)
    return inputs, center_crop(hr, side, side)


def dispatch(step: Step, draw: Draw, *, share: int, looped: bool) -> Callable[..., tuple[TrainState, Metrics]]:
    """Return `run(state, data, count)`: the first `count` steps on `data` in one program, and mean metrics.

    `share` is the batch on one device. `count` is traced, so any number up to the next event runs the same
    program; without `looped` it is 1. `metrics["bad_step"]` is the first step with a non-finite loss or gradient,
    or -1.
    """

    def once(state: TrainState, data: Any, i: Any) -> tuple[TrainState, Metrics]:
        keys = example_keys(jax.random.wrap_key_data(state.key), state.step, share)
        state, metrics = step(state, draw(data, i, keys), keys)
        finite = jnp.isfinite(metrics["loss"]) & jnp.isfinite(metrics["gradient_norm"])
        return state, {**metrics, "bad_step": jnp.where(finite, -1, state.step)}

    def loop(state: TrainState, data: Any, count: jax.Array) -> tuple[TrainState, Metrics]:
        def body(i: jax.Array, carry: tuple[TrainState, Metrics]) -> tuple[TrainState, Metrics]:
            state, totals = carry
            state, metrics = once(state, data, i)
            bad = jnp.where(totals["bad_step"] < 0, metrics["bad_step"], totals["bad_step"])
            return state, {**jax.tree.map(jnp.add, totals, metrics), "bad_step": bad}

        shapes = jax.eval_shape(once, state, data, count)[1]
        totals = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes) | {"bad_step": jnp.int32(-1)}
        state, totals = jax.lax.fori_loop(0, count, body, (state, totals))
        means = jax.tree.map(lambda total: total / count, totals)
        return state, {**means, "bad_step": totals["bad_step"]}

    return loop if looped else lambda state, data, count: once(state, data, 0)
