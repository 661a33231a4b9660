"""How ZSSR learns a network from one small photo: its crops are fathers, reduced by the kernel they are sons.

Source: Shocher et al., CVPR 2018, section 3, with the settings that KernelGAN (NeurIPS 2019) drives it by.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsr.blind.zssr.learning_rate import REVIEW_EVERY, TEST_EVERY, Rates, initial_rates, record, review
from jaxsr.degradations.downscale import downscale
from jaxsr.imaging.patches import center_crop, dihedral
from jaxsr.imaging.resize import resize
from jaxsr.losses.pixel import l1

ADAM = optax.scale_by_adam()  # 0.9 and 0.999
TESTED = 512  # side of the photo's middle that is reconstructed: memory and time stay bounded on large photos
GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclasses.dataclass(frozen=True)
class Lesson:
    """What a step's program depends on: the network, its `scale`, and how fathers and sons are made.

    Each step draws `fathers` crops of `crop` pixels a side, with `augment` flipped and turned at random; sons get
    Gaussian `noise` of that deviation.
    """

    module: Any
    scale: int
    crop: int
    fathers: int = 1
    noise: float = 0.0
    augment: bool = False


class Source(NamedTuple):
    """A `photo` (H, W, C) to learn from, the weights (H, W, 1) of its pixels in the loss, its `kernel` (k, k)."""

    photo: jax.Array
    weights: jax.Array
    kernel: jax.Array


class Run(NamedTuple):
    """Where the training on one photo stands: steps done, weights, Adam's moments, learning rate."""

    step: jax.Array
    params: Any
    moments: Any
    rates: Rates


def loss_map(photo: jax.Array) -> jax.Array:
    """Return how much each pixel of `photo` (H, W, 1 or 3) counts in the loss: (H, W, 1) of mean 1.

    It is the magnitude of the grey photo's gradient, summed over 5x5 pixels; 1 everywhere for a flat photo.
    """
    grey = photo[..., 0] if photo.shape[-1] == 1 else photo @ GREY
    down, right = jnp.gradient(grey)
    magnitude = jnp.sqrt(down**2 + right**2)
    summed = jax.lax.reduce_window(magnitude, 0.0, jax.lax.add, (5, 5), (1, 1), "same")
    mean = summed.mean()
    return jnp.where(mean > 0, summed / mean, 1.0)[..., None]


def draw_fathers(key: jax.Array, source: Source, lesson: Lesson) -> tuple[jax.Array, jax.Array]:
    """Return random crops (N, crop, crop, C) of the photo, and the weights (N, crop, crop, 1) of their pixels."""
    both = jnp.concatenate([source.photo, source.weights], axis=-1)
    side = lesson.crop
    ends = np.array(both.shape[:2]) - side + 1

    def draw(key: jax.Array) -> jax.Array:
        place, symmetry = jax.random.split(key)
        top, left = jax.random.randint(place, (2,), 0, ends)
        crop = jax.lax.dynamic_slice(both, (top, left, 0), (side, side, both.shape[2]))
        return dihedral(crop, jax.random.randint(symmetry, (), 0, 8)) if lesson.augment else crop

    crops = jax.vmap(draw)(jax.random.split(key, lesson.fathers))
    return crops[..., :-1], crops[..., -1:]


def enlarged_sons(key: jax.Array, fathers: jax.Array, kernel: jax.Array, lesson: Lesson) -> jax.Array:
    """Return `fathers` (N, H, W, C), sides multiples of the scale, reduced by `kernel` and brought back by bicubic."""
    kernels = jnp.broadcast_to(kernel, (len(fathers), *kernel.shape))
    sons = downscale(fathers, kernels, lesson.scale)
    if lesson.noise:
        sons = sons + lesson.noise * jax.random.normal(key, sons.shape)
    return resize(sons, lesson.scale)


def train_step(lesson: Lesson, source: Source, key: jax.Array, run: Run) -> Run:
    """Return `run` after a step of Adam on the weighted mean absolute difference of restored sons and fathers."""
    crop_key, noise_key = jax.random.split(jax.random.fold_in(key, run.step))
    fathers, weights = draw_fathers(crop_key, source, lesson)
    sons = enlarged_sons(noise_key, fathers, source.kernel, lesson)

    def loss_of(params: Any) -> jax.Array:
        return jnp.mean(weights * l1(output=lesson.module.apply({"params": params}, sons), target=fathers))

    updates, moments = ADAM.update(jax.grad(loss_of)(run.params), run.moments)
    params = jax.tree.map(lambda p, update: p - run.rates.rate * update, run.params, updates)
    return Run(run.step + 1, params, moments, run.rates)


def test_run(lesson: Lesson, source: Source, key: jax.Array, run: Run) -> Run:
    """Return `run` with the mean squared error of its reconstruction of the photo's middle from that one's son."""
    height, width = (min(side, TESTED) // lesson.scale * lesson.scale for side in source.photo.shape[:2])
    father = center_crop(source.photo, height, width)[None]
    son = enlarged_sons(jax.random.fold_in(key, run.step), father, source.kernel, lesson)
    error = jnp.mean(jnp.square(lesson.module.apply({"params": run.params}, son) - father))
    return run._replace(rates=record(run.rates, error))


def _several_steps(lesson: Lesson, source: Source, key: jax.Array, run: Run, count: jax.Array) -> Run:
    return jax.lax.fori_loop(0, count, lambda _, run: train_step(lesson, source, key, run), run)


compiled = functools.partial(jax.jit, static_argnums=0, donate_argnums=3)
_one_step, _steps, _tested = compiled(train_step), compiled(_several_steps), compiled(test_run)


def advance(lesson: Lesson, source: Source, key: jax.Array, run: Run, count: int) -> Run:
    """Return `run` after `count` steps: in one program, but on a CPU, where convolutions crawl in loops, in `count`."""
    if jax.default_backend() != "cpu":
        return _steps(lesson, source, key, run, count)
    for _ in range(count):
        run = _one_step(lesson, source, key, run)
    return run


def learn(
    lesson: Lesson,
    photo: jax.Array,
    kernel: jax.Array,
    key: jax.Array,
    *,
    params: Any = None,
    steps: int,
    report: Callable[[int], None] = lambda count: None,
) -> Run:
    """Return the Run of at most `steps` on `photo` (H, W, C) with `kernel`, from `params` or random weights.

    It is over when the learning rate has fallen below the lowest. `report(count)` tells of so many more steps.
    """
    source = Source(photo, jax.jit(loss_map)(photo), kernel)
    if params is None:
        shape = (1, lesson.crop, lesson.crop, photo.shape[-1])
        params = jax.jit(lesson.module.init)(jax.random.fold_in(key, 1), jnp.zeros(shape))["params"]
    params = jax.tree.map(jnp.array, params)  # steps give their memory away; the caller's stays
    run = Run(jnp.int32(0), params, ADAM.init(params), initial_rates())
    done, key = 0, jax.random.fold_in(key, 2)
    while done < steps and not run.rates.over:
        count = min(TEST_EVERY - done % TEST_EVERY, REVIEW_EVERY - done % REVIEW_EVERY, steps - done)
        run, done = advance(lesson, source, key, run, count), done + count
        if done % TEST_EVERY == 0:
            run = _tested(lesson, source, key, run)
        if done % REVIEW_EVERY == 0:
            run = run._replace(rates=jax.jit(review)(run.rates, run.step))
        report(count)
    return run
