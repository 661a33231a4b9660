"""Pixel losses against their formulas, their gradients on flat images, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.losses.pixel import LOSSES, charbonnier, example_sum, half_sum, l1, mean, mse
from jaxsr.support.errors import UserError


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.random((2, 5, 6, 3)).astype(np.float32), rng.random((2, 5, 6, 3)).astype(np.float32)


def test_values(pair):
    output, target = pair
    difference = output.astype(float) - target
    np.testing.assert_allclose(mse(output=output, target=target), difference**2, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(l1(output=output, target=target), abs(difference), rtol=1e-5, atol=1e-7)
    expected = np.sqrt(difference**2 + 1e-6)
    np.testing.assert_allclose(charbonnier(output=output, target=target), expected, rtol=1e-5)


def test_reductions():
    elements = jnp.arange(24.0).reshape(2, 3, 4, 1)
    assert float(mean(elements)) == 11.5
    assert float(half_sum(elements)) == 276 / 2 / 2
    assert float(example_sum(elements)) == 276 / 2


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_where_images_agree(name):
    per_element, reduce = LOSSES[name]
    flat = jnp.full((1, 4, 4, 1), 0.5)
    gradient = jax.grad(lambda x: reduce(per_element(output=x, target=flat)))(flat)
    np.testing.assert_array_equal(gradient, jnp.zeros_like(flat))


@pytest.mark.parametrize("name", LOSSES)
def test_shapes_must_be_equal(name):
    with pytest.raises(UserError, match=r"output \(1, 4, 4, 1\) and target \(1, 4, 4, 3\)"):
        LOSSES[name][0](output=jnp.zeros((1, 4, 4, 1)), target=jnp.zeros((1, 4, 4, 3)))


@pytest.mark.parametrize("name", LOSSES)
def test_levels_are_refused(name):
    """Differences of uint8 wrap around."""
    with pytest.raises(UserError, match="a loss needs floats; got target of uint8; divide by the level of white, 255"):
        LOSSES[name][0](output=jnp.zeros((1, 4, 4, 3)), target=jnp.zeros((1, 4, 4, 3), jnp.uint8))


@pytest.mark.parametrize("epsilon", [0.0, -1e-3, float("nan")])
def test_charbonnier_without_an_epsilon_is_refused(epsilon):
    """Its gradient where both agree would not be a number."""
    with pytest.raises(UserError, match="epsilon=.* must be above 0"):
        charbonnier(jnp.zeros(2), jnp.zeros(2), epsilon=epsilon)
    gradient = jax.jit(jax.grad(lambda e: charbonnier(jnp.zeros(2), jnp.zeros(2), epsilon=e).sum()))
    assert gradient(0.5) == 2.0


@pytest.mark.parametrize("loss", [mse, l1, charbonnier])
def test_positions_and_names_give_the_same(loss, pair):
    output, target = pair
    np.testing.assert_array_equal(loss(output, target), loss(output=output, target=target))
