"""Training steps: pure functions `(state, batch, keys) -> (state, metrics)`."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsr.imaging.patches import center_crop
from jaxsr.models import ModelSpec
from jaxsr.training.config import Config
from jaxsr.training.objectives import Objective
from jaxsr.training.pairs import Pairs, make_pairs, pair_scales
from jaxsr.training.parallel import average_over_devices, example_keys
from jaxsr.training.state import TrainState, update_average

Metrics = dict[str, jax.Array]
Step = Callable[[TrainState, jax.Array, jax.Array], tuple[TrainState, Metrics]]
Draw = Callable[[Any, Any, jax.Array], jax.Array]  # (data, number of the step in it, keys) -> uint8 crops


def pixel_step(config: Config, spec: ModelSpec, optimizer: optax.GradientTransformation, objective: Objective) -> Step:
    """Return the step that fits a network's output to the sharp patch, pixel by pixel."""
    options = {**config.model.options.to_dict(), **spec.training_options}
    scales = pair_scales(config, spec)
    networks = {scale: spec.module(scale, **options) for scale in scales}
    channels = networks[scales[0]].channels
    keywords: dict[str, Any] = {**spec.training_arguments, **objective.asks}

    def loss_of(params: Any, statistics: Any, pairs: Pairs, step: jax.Array) -> tuple[jax.Array, tuple[Any, Metrics]]:
        losses, errors, told = [], [], {}
        for scale, pair in pairs.items():
            result, statistics = networks[scale].apply(
                {"params": params, **statistics},
                pair.small,
                mutable=list(statistics),
                **keywords,
            )
            loss, output, told = objective.loss(result, pair, statistics, step)
            losses.append(loss)
            errors.append(jnp.mean(jnp.square(output - center_crop(pair.sharp, *output.shape[1:3]))))
        return jnp.stack(losses).mean(), (statistics, {**told, "error": jnp.stack(errors).mean()})

    def step(state: TrainState, hr: jax.Array, keys: jax.Array) -> tuple[TrainState, Metrics]:
        pairs = make_pairs(hr, keys, config, spec, channels)
        found = jax.value_and_grad(loss_of, has_aux=True)(state.params, state.statistics, pairs, state.step)
        (loss, (statistics, told)), gradients = average_over_devices(found)
        updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        variables = {"params": params, **statistics}
        average = update_average(state.average, variables, config.ema_decay, state.step) if state.average else {}
        metrics = {"loss": loss, "psnr": -10 * jnp.log10(told.pop("error")), **told}
        metrics["gradient_norm"] = optax.tree.norm(gradients)
        return TrainState(state.step + 1, state.key, params, statistics, average, optimizer_state), metrics

    return step


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
