"""Several training steps in one compiled program."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxsr.devices.parallel import example_keys
from jaxsr.support.types import Key, Metrics, Params, Tree
from jaxsr.training.state import TrainState
from jaxsr.training.steps.step import Step

Draw = Callable[[Tree, Tree, Key], Tree]  # (data, number of the step in it, keys) -> uint8 crops
Run = Callable[[TrainState, Params, Tree, jax.Array], tuple[TrainState, Metrics]]
FINITE = ("loss", "gradient_norm", "adversary_loss", "adversary_gradient_norm")  # metrics without which a run is lost


def dispatch(step: Step, draw: Draw, *, share: int, looped: bool) -> Run:
    """Return `run(state, constants, data, count)`: `count` steps on `data` in one program, and mean metrics.

    `share` is the batch on one device. `count` is traced, so any number up to the next event runs the same
    program; without `looped` it is 1. `metrics["bad_step"]` is the first step with a non-finite loss or gradient,
    or -1.
    """

    def once(state: TrainState, constants: Params, data: Tree, i: jax.Array | int) -> tuple[TrainState, Metrics]:
        keys = example_keys(jax.random.wrap_key_data(state.key), state.step, share)
        state, metrics = step(state, constants, draw(data, i, keys), keys)
        finite = jnp.isfinite(jnp.stack([metrics[name] for name in FINITE if name in metrics])).all()
        return state, {**metrics, "bad_step": jnp.where(finite, -1, state.step)}

    def loop(state: TrainState, constants: Params, data: Tree, count: jax.Array) -> tuple[TrainState, Metrics]:
        def body(i: jax.Array, carry: tuple[TrainState, Metrics]) -> tuple[TrainState, Metrics]:
            state, totals = carry
            state, metrics = once(state, constants, data, i)
            bad = jnp.where(totals["bad_step"] < 0, metrics["bad_step"], totals["bad_step"])
            return state, {**jax.tree.map(jnp.add, totals, metrics), "bad_step": bad}

        shapes = jax.eval_shape(once, state, constants, data, count)[1]
        totals = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes) | {"bad_step": jnp.int32(-1)}
        state, totals = jax.lax.fori_loop(0, count, body, (state, totals))
        means = jax.tree.map(lambda total: total / count, totals)
        return state, {**means, "bad_step": totals["bad_step"]}

    return loop if looped else lambda state, constants, data, count: once(state, constants, data, 0)
