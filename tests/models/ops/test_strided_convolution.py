"""Strided convolution in all its forms against its definition, and their gradients against each other."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.ops import strided_convolution
from jaxsr.models.ops.strided_convolution import StridedConv, convolve_strided
from tests.reference import convolution as reference

SLOW = [(5, 3), (9, 4)]
RNG = np.random.default_rng(3)


@pytest.mark.parametrize(
    ("size", "stride"), [(9, 2), (9, 3), (9, 4), (13, 3), (17, 4), (3, 2), (1, 3), (5, 1), (4, 2), (4, 1)]
)
def test_strided_convolution_is_the_definition(size, stride):
    """Padded by half the kernel, one less behind an even one, and each stride-th output taken."""
    x = RNG.normal(size=(2, 3 * stride, 4 * stride, 2)).astype(np.float32)
    layer = StridedConv(3, size, stride)
    params = jax.eval_shape(layer.init, jax.random.key(0), x)["params"]
    kernel, bias = (RNG.normal(size=params[name].shape).astype(np.float32) for name in ("kernel", "bias"))
    y = jax.jit(layer.apply)({"params": {"kernel": kernel, "bias": bias}}, x)
    expected = reference.correlate(x, kernel, (size // 2, (size - 1) // 2))[:, ::stride, ::stride] + bias
    assert kernel.shape == (size, size, 2, 3)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("few", [0, 1 << 13])
@pytest.mark.parametrize(
    ("size", "stride"), [(3, 2), (5, 2), (4, 3), *(pytest.param(*each, marks=pytest.mark.slow) for each in SLOW)]
)
def test_blocks_apart_are_those_together(size, stride, few, monkeypatch):
    """The result, its gradients, and the gradient of a penalty of the gradient, as critics have it."""
    x = RNG.normal(size=(2, 4 * stride, 3 * stride, 5)).astype(np.float32)
    kernel = RNG.normal(size=(size, size, 5, 3)).astype(np.float32)

    def all_of(x, kernel):
        y, back = jax.vjp(lambda *arguments: jnp.tanh(convolve_strided(*arguments, stride) / 9), x, kernel)
        slope = jax.grad(lambda x, kernel: jnp.tanh(convolve_strided(x, kernel, stride) / 9).sum())
        penalty = jax.grad(lambda *arguments: (slope(*arguments) ** 2).sum(), (0, 1))
        return y, *back(y), *penalty(x, kernel)

    together = jax.jit(all_of)(x, kernel)
    expected = reference.correlate(x, kernel, (size // 2, (size - 1) // 2))[:, ::stride, ::stride]
    np.testing.assert_allclose(together[0], np.tanh(expected / 9), rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(strided_convolution, "MANY", 1)
    monkeypatch.setattr(strided_convolution, "FEW", few)
    lowered = jax.jit(lambda *arguments: all_of(*arguments)).lower(x, kernel)
    assert lowered.as_text().count("dot_general") >= 4  # products of blocks
    for each, same in zip(lowered.compile()(x, kernel), together, strict=True):
        np.testing.assert_allclose(each, same, rtol=1e-4, atol=1e-4)


def test_a_network_for_photos_of_any_size_can_be_traced(monkeypatch):
    monkeypatch.setattr(strided_convolution, "MANY", 1)
    height, width = jax.export.symbolic_shape("h, w")
    x = jax.ShapeDtypeStruct((1, 2 * height, 2 * width, 5), jnp.float32)
    kernel = jax.ShapeDtypeStruct((3, 3, 5, 3), jnp.float32)
    (y,) = jax.export.export(jax.jit(lambda *arguments: convolve_strided(*arguments, 2)))(x, kernel).out_avals
    assert y.shape == (1, height, width, 3)
