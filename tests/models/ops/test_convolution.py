"""The fast convolutions give what the definition gives, and their gradients what XLA's own give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.ops import convolution
from jaxsr.models.ops.convolution import Conv, convolve
from jaxsr.support.errors import UserError
from tests.reference import convolution as reference

RNG = np.random.default_rng(7)
# (taps, channels, features): each reaches another way of computing, see jaxsr/models/ops/convolution.py
SHAPES = [(1, 5, 7), (3, 12, 12), (5, 1, 20), (5, 20, 3), (3, 20, 24), (4, 18, 9), (2, 3, 3)]
SHAPES += [(3, 32, 40), (2, 256, 1024)]


def arrays(taps, channels, features, height=9, width=10):
    x = RNG.normal(size=(2, height, width, channels)).astype(np.float32)
    return x, RNG.normal(size=(taps, taps, channels, features)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("width", [10, 11])
@pytest.mark.parametrize("padding", ["none", "least", "same", "most"])
def test_convolve_is_the_definition(shape, width, padding):
    x, kernel = arrays(*shape, width=width)
    last = shape[0] - 1
    zeros = {"none": (0, 0), "least": (last // 2, 0), "same": (last // 2, last - last // 2), "most": (last, 0)}[padding]
    y = jax.jit(convolve, static_argnums=2)(x, kernel, zeros)
    np.testing.assert_allclose(y, reference.correlate(x, kernel, zeros), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("width", [10, 11])
@pytest.mark.parametrize("valid", [False, True])
def test_gradients_are_those_of_the_plain_convolution(shape, width, valid):
    x, kernel = arrays(*shape, width=width)
    last = shape[0] - 1
    padding = (0, 0) if valid else (last // 2, last - last // 2)
    weights = RNG.normal(size=reference.correlate(x, kernel, padding).shape).astype(np.float32)

    def gradients(function):
        return jax.jit(jax.grad(lambda x, kernel: jnp.sum(function(x, kernel, padding) * weights), (0, 1)))(x, kernel)

    for fast, plain in zip(gradients(convolve), gradients(convolution._plain), strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("padding", ["zero", "replicate", "reflect", "valid"])
def test_the_layer_pads_as_it_says(padding):
    x, _ = arrays(5, 2, 3)
    layer = Conv(3, 5, padding)
    variables = layer.init(jax.random.key(0), x)
    params = variables["params"]
    assert params["kernel"].shape == (5, 5, 2, 3) and params["bias"].shape == (3,)
    bias = np.float32([0.5, -1, 2])
    y = layer.apply({"params": {**params, "bias": bias}}, x)
    modes = {"replicate": "edge", "reflect": "reflect"}
    padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode=modes[padding]) if padding in modes else x
    zeros = (2, 2) if padding == "zero" else (0, 0)
    np.testing.assert_allclose(y, reference.correlate(padded, params["kernel"], zeros) + bias, rtol=1e-4, atol=1e-4)


def test_an_unknown_padding_is_refused():
    with pytest.raises(UserError, match="unknown padding 'same'"):
        Conv(3, 5, "same").init(jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32))


def test_derivatives_are_of_reverse_mode_and_of_any_order():
    """As docs/limits.md has it: a Hessian times a vector by gradients alone, and forward mode refused by JAX."""
    x, v = (jax.random.normal(jax.random.key(i), (1, 6, 5, 2)) for i in (0, 1))
    kernel = jax.random.normal(jax.random.key(2), (3, 3, 2, 3))

    def product(function):
        loss = lambda x: jnp.sum(function(x, kernel, (1, 1)) ** 3)  # noqa: E731
        return jax.jit(jax.grad(lambda x: jnp.vdot(jax.grad(loss)(x), v)))(x)

    np.testing.assert_allclose(product(convolve), product(convolution._plain), rtol=1e-4, atol=1e-2)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda x: convolve(x, kernel, (1, 1)), (x,), (v,))
