"""Shuffles and PReLU against their definitions."""

import jax
import numpy as np
import pytest

from jaxsr.models.ops.layers import PReLU, depth_to_space, space_to_depth

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_depth_to_space_puts_channel_dy_dx_c_at_pixel_dy_dx(scale):
    x = RNG.normal(size=(2, 3, 5, scale**2 * 2)).astype(np.float32)
    y = np.asarray(depth_to_space(x, scale))
    assert y.shape == (2, 3 * scale, 5 * scale, 2)
    for dy in range(scale):
        for dx in range(scale):
            channels = slice(2 * (scale * dy + dx), 2 * (scale * dy + dx) + 2)
            np.testing.assert_array_equal(y[:, dy::scale, dx::scale], x[..., channels])
    np.testing.assert_array_equal(space_to_depth(y, scale), x)


def test_prelu_has_one_slope_per_channel():
    layer, x = PReLU(), np.float32([[-2, -2, 3], [1, -4, -1]])
    assert layer.init(jax.random.key(0), x)["params"]["slope"].tolist() == [0.25] * 3
    y = layer.apply({"params": {"slope": np.float32([0.1, 0.5, 2])}}, x)
    np.testing.assert_allclose(y, [[-0.2, -1, 3], [1, -2, -2]], rtol=1e-6)
