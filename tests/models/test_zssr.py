"""ZSSR's network: its layers as the paper lists them, its size, its start."""

import jax
import numpy as np
import pytest

from jaxsr.models import count_parameters, initial_shapes
from jaxsr.models.zssr import SPEC, ZSSR
from tests.reference.convolution import correlate

COUNTS = {"RGB": 224_640, "grey": 222_336}


@pytest.mark.parametrize("variant", SPEC.variants)
def test_parameter_count(variant):
    assert count_parameters(SPEC, 2, **SPEC.variants[variant]) == COUNTS[variant]


def test_layers_are_the_papers():
    net = ZSSR(depth=4, features=5)
    rng = np.random.default_rng(0)
    params = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(np.float32), initial_shapes(net))
    x = rng.random((2, 7, 6, 3)).astype(np.float32)
    h = x
    for i in range(1, 5):
        h = correlate(np.maximum(h, 0) if i > 1 else h, params["params"][f"conv{i}"]["kernel"], (1, 1))
    output = jax.jit(net.apply)(params, x)
    np.testing.assert_allclose(output, x + h, atol=1e-5 * np.abs(h).max())


def test_receptive_radius_is_exact():
    net = ZSSR(features=2, channels=1)
    radius, rng = SPEC.receptive_radius(net), np.random.default_rng(1)
    variables = jax.tree.map(lambda leaf: rng.random(leaf.shape, np.float32), initial_shapes(net))
    middle, side = radius + 2, 2 * radius + 5
    gradient = jax.jit(jax.grad(lambda x: net.apply(variables, x)[0, middle, middle, 0]))(np.ones((1, side, side, 1)))
    assert np.abs(np.argwhere(np.asarray(gradient)[0, ..., 0]) - middle).max() == radius == 8


def test_weights_start_with_a_tenth_of_the_usual_variance():
    params = jax.jit(ZSSR().init)(jax.random.key(0), np.zeros((1, 8, 8, 3), np.float32))["params"]
    for layer in params.values():
        kernel = np.asarray(layer["kernel"])
        assert abs(kernel.std() * np.sqrt(np.prod(kernel.shape[:3]) / 0.1) - 1) < 0.05
