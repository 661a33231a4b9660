"""How ZSSR trains a network on one photo: to restore fathers from their sons, see `fathers_and_sons.py`.

Source: Shocher et al., CVPR 2018, section 3, with the settings that KernelGAN (NeurIPS 2019) uses it with.
"""

import functools
import threading
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsr.blind.zssr.fathers_and_sons import Source, StepSpec, draw_fathers, enlarged_sons, loss_map
from jaxsr.blind.zssr.learning_rate import REVIEW_EVERY, TEST_EVERY, Rates, initial_rates, record, review
from jaxsr.devices.meshes import on_accelerator
from jaxsr.imaging.patches import center_crop
from jaxsr.losses.pixel import l1
from jaxsr.support.randomness import LearningStream, stream
from jaxsr.support.types import Key, Params, Progress, Tree

ADAM = optax.scale_by_adam()  # 0.9 and 0.999
TEST_SIDE = 512  # of the photo's middle on which the error is measured: bounds memory and time on large photos


class Run(NamedTuple):
    """The state of the training on one photo: steps done, weights, Adam's moments, learning rate."""

    step: jax.Array
    params: Params
    moments: optax.OptState
    rates: Rates


def train_step(spec: StepSpec, source: Source, key: Key, run: Run) -> Run:
    """Return `run` after a step of Adam on the weighted mean absolute difference of restored sons and fathers."""
    crop_key, noise_key = jax.random.split(jax.random.fold_in(key, run.step))
    fathers, weights = draw_fathers(crop_key, source, spec)
    sons = enlarged_sons(noise_key, fathers, source.kernel, spec)

    def loss_of(params: Params) -> jax.Array:
        return jnp.mean(weights * l1(output=_restored(spec, params, sons), target=fathers))

    updates, moments = ADAM.update(jax.grad(loss_of)(run.params), run.moments)
    params = jax.tree.map(lambda p, update: p - run.rates.rate * update, run.params, updates)
    return Run(run.step + 1, params, moments, run.rates)


def _restored(spec: StepSpec, params: Params, sons: jax.Array) -> Tree:
    """Return what the network makes of enlarged `sons` (N, H, W, C): an array of that shape."""
    return spec.module.apply({"params": params}, sons)


def test_run(spec: StepSpec, source: Source, key: Key, run: Run) -> Run:
    """Return `run` with the mean squared error of the photo's middle restored from its son, recorded in its rates."""
    height, width = (min(side, TEST_SIDE) // spec.scale * spec.scale for side in source.photo.shape[:2])
    father = center_crop(source.photo, height, width)[None]
    son = enlarged_sons(jax.random.fold_in(key, run.step), father, source.kernel, spec)
    error = jnp.mean(jnp.square(_restored(spec, run.params, son) - father))
    return run._replace(rates=record(run.rates, error))


def _several_steps(spec: StepSpec, source: Source, key: Key, run: Run, count: jax.Array) -> Run:
    return jax.lax.fori_loop(0, count, lambda _, run: train_step(spec, source, key, run), run)


compiled = functools.partial(jax.jit, static_argnums=0, donate_argnums=3)
_drawing = threading.Lock()  # photos that begin at the same time would compile the same program
_one_step, _steps, _tested = compiled(train_step), compiled(_several_steps), compiled(test_run)


def advance(spec: StepSpec, source: Source, key: Key, run: Run, count: int) -> Run:
    """Return `run` after `count` steps: in one dispatch; on a CPU, where loops slow convolutions, in `count`."""
    if on_accelerator():
        return _steps(spec, source, key, run, count)
    for _ in range(count):
        run = _one_step(spec, source, key, run)
    return run


def learn(
    spec: StepSpec,
    photo: jax.Array,
    kernel: jax.Array,
    key: Key,
    *,
    steps: int,
    params: Params | None = None,
    progress: Progress | None = None,
) -> Run:
    """Return the Run of at most `steps` on `photo` (H, W, C) with `kernel` (k, k), from `params` or random weights.

    Training ends early when the learning rate has fallen below the lowest. `progress(done, total)` counts steps.
    """
    source = Source(photo, jax.jit(loss_map)(photo), kernel)
    run, key = _initial_run(spec, source, key, params), stream(key, LearningStream.STEPS)
    done = 0
    while done < steps and not run.rates.over:
        count = min(TEST_EVERY - done % TEST_EVERY, REVIEW_EVERY - done % REVIEW_EVERY, steps - done)
        run, done = advance(spec, source, key, run, count), done + count
        if done % TEST_EVERY == 0:
            run = _tested(spec, source, key, run)
        if done % REVIEW_EVERY == 0:
            run = run._replace(rates=jax.jit(review)(run.rates, run.step))
        if progress is not None:
            progress(done, steps)
    return run


def _initial_run(spec: StepSpec, source: Source, key: Key, params: Params | None) -> Run:
    """Return the Run before the first step, with `params` or random weights."""
    if params is None:
        weights_key = stream(key, LearningStream.INITIAL_WEIGHTS)
        params = _random_params(spec.module, source.photo.shape[-1], weights_key)
    own: Tree = jax.tree.map(jnp.array, params)  # a copy, because steps donate their arguments
    return Run(jnp.int32(0), own, ADAM.init(own), initial_rates())


def _random_params(module: nn.Module, channels: int, key: Key) -> Params:
    """Return the random weights of `module` by `key`, as NumPy arrays.

    All photos' are drawn on the first device, because the program takes longer to compile than that of a training step.
    """
    with _drawing, jax.default_device(jax.local_devices()[0]):
        return jax.tree.map(np.asarray, _draw_params(module, channels, np.asarray(jax.random.key_data(key))))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _draw_params(module: nn.Module, channels: int, key_data: jax.Array) -> Tree:
    return module.init(jax.random.wrap_key_data(key_data), jnp.zeros((1, 1, 1, channels)))["params"]
