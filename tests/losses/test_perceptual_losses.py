"""Losses of features and textures against their formulas, and total variation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.resize import resize
from jaxsr.losses import match_weights, mse, perceptual, texture, total_variation
from jaxsr.support.errors import UserError
from tests.reference import losses as reference


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.random((2, 5, 6, 3)).astype(np.float32), rng.random((2, 5, 6, 3)).astype(np.float32)


def test_the_loss_of_features(pair):
    """SRGAN's scale is about 0.006 of the squared error."""
    output, target = pair
    expected = (output.astype(float) / 12.75 - target.astype(float) / 12.75) ** 2
    np.testing.assert_allclose(perceptual(output=output, target=target), expected, rtol=1e-4, atol=1e-9)
    np.testing.assert_array_equal(
        perceptual(output=output, target=target, feature_scale=1), mse(output=output, target=target)
    )
    with pytest.raises(UserError, match="a loss needs equal shapes"):
        perceptual(output=output, target=target[:1])


def test_texture(pair):
    """Against sums over pixels, with and without weights; where textures agree the gradient is 0."""
    output, target = pair
    weights = np.random.default_rng(1).random((2, 5, 6, 1)).astype(np.float32)
    for given in (None, weights):
        expected = reference.texture(output, target, np.ones((2, 5, 6, 1)) if given is None else given)
        np.testing.assert_allclose(
            texture(output=output, target=target, weights=given), expected, rtol=1e-3, atol=1e-12
        )
    gradient = jax.grad(lambda x: texture(output=x, target=target).sum())(target)
    np.testing.assert_array_equal(gradient, np.zeros_like(target))
    with pytest.raises(UserError, match=r"got weights \(2, 5, 6\) and features \(2, 5, 6, 1\)"):
        texture(output=output, target=target, weights=weights[..., 0])


def test_texture_of_one_photo_is_named(pair):
    with pytest.raises(UserError, match=r"features of shape \(N, H, W, F\); got \(5, 6, 3\)"):
        texture(output=pair[0][0], target=pair[1][0])


def test_weights_of_matches():
    """They rise with the cosine, and the border has its neighbours' weight."""
    similarity = np.linspace(0, 0.4, 24, dtype=np.float32).reshape(2, 3, 4)
    weights = np.asarray(match_weights(similarity))
    assert weights.shape == (2, 5, 6, 1)
    np.testing.assert_allclose(weights[:, 1:-1, 1:-1, 0], 1 / (1 + np.exp(0.65 - 20 * similarity)), rtol=1e-5)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 1])
    enlarged = np.asarray(match_weights(similarity, factor=4))
    padded = np.pad(similarity, ((0, 0), (1, 1), (1, 1)), mode="edge")[..., None]
    np.testing.assert_allclose(enlarged, 1 / (1 + np.exp(0.65 - 20 * resize(padded, 4))), rtol=1e-4)


def test_total_variation(pair):
    image = pair[0]
    np.testing.assert_allclose(total_variation(output=image), reference.total_variation(image), atol=1e-6)
    flat = jnp.full((1, 4, 4, 1), 0.5)
    gradient = jax.grad(lambda x: total_variation(output=x).sum())(flat.at[0, 2, 2, 0].set(0.7))
    np.testing.assert_array_equal(gradient[0, :2, :2], 0)
    np.testing.assert_allclose(gradient[0, 2, 2, 0], 2 + 2**0.5, rtol=1e-5)
    with pytest.raises(UserError, match=r"images of shape \(N, H, W, C\); got \(4, 4, 1\)"):
        total_variation(output=flat[0])
    with pytest.raises(UserError, match="needs floats; got output of uint8"):  # whose steps down would wrap around
        total_variation(output=jnp.zeros((1, 4, 4, 1), jnp.uint8))


def test_match_weights_of_one_map_alone_are_refused():
    with pytest.raises(UserError, match=r"match_weights takes cosines of shape \(N, H, W\); got \(6, 6\)"):
        match_weights(jnp.zeros((6, 6)))
