"""A few whole steps of KernelGAN against the steps written plainly, and its schedule."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.blind.kernelgan.loss_schedule import Schedule, first_schedule, hand_over, learning_rate
from jaxsr.blind.kernelgan.optimization import start, train
from jaxsr.blind.kernelgan.recipes import FIDELITIES, PAPER
from tests.helpers.blind import SQUARE, settled
from tests.helpers.dan_cases import assert_close, compiled
from tests.reference import kernelgan as reference

KEY = jax.random.key(0)
CORNERS = tuple(np.int32(rows) for rows in ([[0, 0], [4, 10], [6, 2]], [[0, 2], [2, 2], [40, 50]]))
PHOTO = np.random.default_rng(0).uniform(-1, 1, (3, 70, 76)).astype(np.float32)


@functools.cache
def training(recipe):
    """Return the compiled `train` of a recipe."""
    return compiled(functools.partial(train, recipe=recipe))


@pytest.fixture(scope="module")
def first_state():
    """Return the state before the first step on PHOTO."""
    return jax.tree.map(np.asarray, compiled(lambda photo: settled(start(KEY, photo)))(PHOTO))


@pytest.mark.parametrize(
    ("fidelity", "weight", "rounding"),
    [
        pytest.param("paper", 1e-3, 0.2, marks=pytest.mark.slow),
        pytest.param("published_code", 5.0, 1e-3, marks=pytest.mark.slow),
        pytest.param("steady", 4e-3, 0.2, marks=pytest.mark.slow),
    ],
)
def test_steps_are_the_papers(fidelity, weight, rounding, first_state):
    """Overlapping crops tell whether noise stays in the photo; a low weight lets all regularisers count.

    The slope of the sparsity near 0 enlarges rounding in the kernel, and that of the output moves the discriminator: so
    its moves are compared to `rounding`, which is small where the sparsity does not count yet.
    """
    (recipe,) = FIDELITIES[fidelity]
    state = first_state._replace(schedule=Schedule(np.float32(weight), np.int32(0), np.bool_(False)))
    end, losses = training(recipe)(state, CORNERS, len(CORNERS[0]))
    key = jax.random.wrap_key_data(state.key)
    noise = np.stack([jax.random.normal(jax.random.fold_in(key, i), (2, 3, 26, 26)) for i in range(3)])
    directions = [*state.directions["first"], *state.directions["hidden"], np.ones(1, np.float32)]
    kernel, photo, generator, discriminator, expected = reference.run(
        *(state.generator, state.discriminator, directions, PHOTO, noise),
        compiled=compiled,
        corners=CORNERS,
        weight=weight,
        square=SQUARE,
        late=weight < 5e-3,
        recipe=recipe,
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert_close(end.kernel, kernel, 1e-4)  # near 0 the slope of the sparsity amplifies rounding
    result, (row, column) = np.array(end.photo), end.noisy_corner
    if recipe.accumulates:  # the last noise is written by the step that never came
        result[:, row : row + 26, column : column + 26] = end.noisy
    np.testing.assert_allclose(result, photo, atol=1e-6)
    assert_same_moves(state.generator, end.generator, generator, 0.02)
    assert_same_moves(state.discriminator, end.discriminator, discriminator, rounding)


def assert_same_moves(first, ours, plain, tolerance):
    """Compare how far the parameters `first` have moved to `ours` and to `plain`."""
    jax.tree.map(lambda first, ours, plain: assert_close(ours - first, plain - first, tolerance), first, ours, plain)


def schedules(losses, threshold=0.4, start=0):
    """Return the weight of the bicubic loss before each step, for these bicubic losses."""

    def body(schedule, now):
        return hand_over(schedule, now[0], now[1], threshold), schedule.bicubic

    steps = jnp.arange(start, start + len(losses))
    return np.asarray(jax.jit(lambda s: jax.lax.scan(body, s, (steps, jnp.float32(losses))))(first_schedule())[1])


def test_the_bicubic_loss_hands_over():
    low = schedules([0.3] * 1100)
    np.testing.assert_allclose(
        low[[0, 200, 201, 400, 401, 600, 601, 1000]], [5, 5, 0.05, 0.05, *[5e-4] * 2, *[5e-6] * 2]
    )
    assert (schedules([0.3, 0.3, 0.5] * 100) == 5).all()  # never three running
    once = schedules([0.5] * 150 + [0.3] * 3 + [0.5] * 300)
    np.testing.assert_allclose(once[[200, 201]], [5, 0.05], rtol=1e-6)
    late = schedules([0.5] * 198 + [0.3] * 300)  # the third low step is the 200th, too late for its own drop
    np.testing.assert_allclose(late[[201, 400, 401]], [5, 5, 0.05], rtol=1e-6)


def test_the_rate_drops_behind_every_750th_step():
    rate = jax.jit(lambda step: learning_rate(step, 750))
    expected = {0: 2e-4, 750: 2e-4, 751: 2e-5, 1500: 2e-5, 1501: 2e-6, 2251: 2e-7, 2999: 2e-7}
    np.testing.assert_allclose([rate(step) for step in expected], list(expected.values()), rtol=1e-5)


@pytest.mark.slow
def test_the_kernel_is_the_mean_of_the_last_steps(first_state):
    """Three steps whose kernels differ: the last one's, and with `mean_from` 1 the mean of the last two."""
    mean = dataclasses.replace(PAPER, mean_from=1)
    second, third, both = (
        training(recipe)(first_state, CORNERS, steps)[0].kernel for recipe, steps in ((PAPER, 2), (PAPER, 3), (mean, 3))
    )
    assert float(jnp.abs(third - second).max()) > 0
    assert_close(both, (second + third) / 2, 1e-5)
