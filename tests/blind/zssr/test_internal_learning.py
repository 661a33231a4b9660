"""Fathers, sons and steps, against plain NumPy and the loss written plainly."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.blind.zssr import internal_learning
from jaxsr.blind.zssr.fathers_and_sons import Source, StepSpec, draw_fathers, enlarged_sons, loss_map
from jaxsr.blind.zssr.internal_learning import ADAM, Run, learn, train_step
from jaxsr.blind.zssr.learning_rate import initial_rates
from jaxsr.degradations.downscale import fitted_kernel
from jaxsr.degradations.kernels import anisotropic_kernels
from jaxsr.imaging.resize import resize
from jaxsr.models import initial_shapes
from jaxsr.models.zssr import ZSSR
from tests.reference import zssr as reference

RNG = np.random.default_rng(3)
KEY = jax.random.key(4)
PHOTO = resize(RNG.random((6, 8, 3)), 4).clip(0, 1)
KERNEL = fitted_kernel(np.asarray(anisotropic_kernels(np.array([[1.5, 0.8]]), np.array([0.5]), 7))[0], 2)
SPEC = StepSpec(ZSSR(depth=3, features=6), 2, crop=16)


def source() -> Source:
    """Return what a training on PHOTO learns from."""
    return Source(jnp.float32(PHOTO), jnp.float32(reference.loss_map(PHOTO)[..., None]), jnp.float32(KERNEL))


def start(module=SPEC.module) -> Run:
    """Return a run with weights large enough that every layer matters."""
    rng = np.random.default_rng(1)
    params = jax.tree.map(lambda leaf: jnp.float32(0.2 * rng.normal(size=leaf.shape)), initial_shapes(module)["params"])
    return Run(jnp.int32(0), params, ADAM.init(params), initial_rates())


@pytest.mark.parametrize("channels", [1, 3])
def test_loss_map(channels):
    photo = np.float32(PHOTO[..., :channels])
    np.testing.assert_allclose(jax.jit(loss_map)(photo)[..., 0], reference.loss_map(photo), rtol=1e-4)
    np.testing.assert_array_equal(jax.jit(loss_map)(np.full_like(photo, 0.3)), np.ones((24, 32, 1)))


@pytest.mark.parametrize("augment", [False, True])
def test_fathers_are_crops_with_their_weights(augment):
    """Each is found in the photo, flipped or turned where asked for, and so are its weights."""
    spec = dataclasses.replace(SPEC, fathers=40, augment=augment)
    both = np.concatenate(source()[:2], axis=-1)
    fathers, weights = jax.jit(draw_fathers, static_argnums=2)(KEY, source(), spec)
    symmetries = [lambda x, i=i: np.rot90(x[:, ::-1] if i > 3 else x, i % 4) for i in range(8 if augment else 1)]
    places = [(row, column) for row in range(9) for column in range(17)]
    crops = {
        turn(both[row : row + 16, column : column + 16]).tobytes(): (i, row, column)
        for row, column in places
        for i, turn in enumerate(symmetries)
    }
    drawn = [crops[crop.tobytes()] for crop in np.concatenate([fathers, weights], axis=-1)]
    found, rows, columns = (set(values) for values in zip(*drawn, strict=True))
    assert len(found) == len(symmetries) and {0, 8} <= rows and len(rows) == 9 and len(columns) > 10


def test_sons_are_reduced_and_enlarged():
    fathers = np.float32(RNG.random((2, 16, 12, 3)))
    sons = jax.jit(enlarged_sons, static_argnums=3)(KEY, fathers, np.float32(KERNEL), SPEC)
    expected = [resize(reference.downscale(father, KERNEL, 2), 2) for father in fathers]
    np.testing.assert_allclose(sons, expected, atol=3e-6)


def test_noise_lies_on_the_sons():
    fathers, noise = np.full((1, 256, 256, 3), 0.5, np.float32), 0.02
    spec = dataclasses.replace(SPEC, noise=noise)
    sons = jax.jit(enlarged_sons, static_argnums=3)(KEY, fathers, np.float32(KERNEL), spec)
    expected = resize(noise * np.random.default_rng(0).normal(size=(1, 128, 128, 3)), 2)
    assert abs(np.std(sons) / expected.std() - 1) < 0.02 and abs(np.mean(sons) - 0.5) < 1e-3


@pytest.mark.slow
def test_a_step_is_adams_on_the_plain_loss():
    """A crop as large as the photo can only be the photo. Adam's first mean is a tenth of the gradient."""
    square = Source(*(x[:, :24] for x in source()[:2]), source().kernel)
    spec, run = dataclasses.replace(SPEC, crop=24), start()
    stepped = jax.jit(train_step, static_argnums=0)(spec, square, KEY, run)
    son = np.float32(resize(reference.downscale(PHOTO[:, :24], KERNEL, 2), 2))[None]
    known = {"father": square.photo[None], "weights": square.weights[None], "enlarged_son": son}
    kernels = [run.params[f"conv{i}"]["kernel"] for i in (1, 2, 3)]
    gradients = jax.jit(jax.grad(functools.partial(reference.loss, **known)))(kernels)
    for i, gradient in enumerate(gradients, start=1):
        mean = stepped.moments.mu[f"conv{i}"]["kernel"] / 0.1
        np.testing.assert_allclose(mean, gradient, atol=1e-4 * np.abs(gradient).max())
        moved = stepped.params[f"conv{i}"]["kernel"] - kernels[i - 1]
        np.testing.assert_allclose(moved, -1e-3 * mean / (np.abs(mean) + 1e-8), atol=1e-6)
    assert stepped.step == 1


@pytest.mark.slow
def test_steps_in_a_loop_are_steps_one_by_one():
    looped = jax.jit(internal_learning._several_steps, static_argnums=0)(SPEC, source(), KEY, start(), 3)
    single = internal_learning.advance(SPEC, source(), KEY, start(), 3)
    assert looped.step == single.step == 3
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-5), looped.params, single.params)


def test_learning_continues_from_given_weights():
    params, counts = start().params, []
    run = learn(SPEC, *source()[::2], KEY, params=params, steps=3, progress=lambda *now: counts.append(now))
    assert run.step == 3 and counts == [(3, 3)] and not run.rates.over
    moved = jax.tree.map(lambda old, new: np.abs(old - new).max(), params, run.params)
    assert all(0 < change < 4e-3 for change in jax.tree.leaves(moved))


@pytest.mark.slow
def test_learning_ends_when_the_error_falls_no_more():
    """A flat photo's son is the photo: there is only noise to learn."""
    counts, flat = [], jnp.full((16, 16, 3), 0.5)
    spec = dataclasses.replace(SPEC, noise=0.01, crop=8)
    run = learn(spec, flat, source().kernel, KEY, steps=3000, progress=lambda done, total: counts.append(done))
    assert run.rates.over and 900 <= run.step < 3000 and counts[-1] == run.step
    assert set(np.diff(counts, prepend=0)) <= {10, 20, 30, 40, 50}
