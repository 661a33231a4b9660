"""Transposed convolution in all its forms against its definition, and their gradients against each other."""

import jax
import numpy as np
import pytest

from jaxsr.models.ops import deconvolution
from jaxsr.models.ops.deconvolution import Deconvolution, cheapest_shift, deconvolve
from tests.reference import convolution as reference

RNG = np.random.default_rng(3)


@pytest.mark.parametrize(("size", "crop"), [(9, 4), (4, 1), (6, 2), (3, 1), (8, 2)])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_deconvolution_is_the_definition(size, crop, stride):
    x = RNG.normal(size=(2, 5, 6, 7)).astype(np.float32)
    layer = Deconvolution(3, size, stride, crop)
    params = layer.init(jax.random.key(0), x)["params"]
    assert params["kernel"].shape == (size, size, 7, 3) and params["bias"].shape == (3,)
    bias = np.float32([1, -2, 0.5])
    y = jax.jit(layer.apply)({"params": {**params, "bias": bias}}, x)
    np.testing.assert_allclose(y, reference.transposed(x, params["kernel"], stride, crop) + bias, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("size", "stride", "crop"), [(3, 2, 1), (3, 2, 0), (5, 2, 2), (5, 3, 1), (7, 4, 3), (9, 4, 4)])
def test_phases_apart_are_those_together(size, stride, crop, monkeypatch):
    """With few channels and, as with many, each alone; the gradients of photo and kernel, too."""
    x = RNG.normal(size=(2, 5, 6, 7)).astype(np.float32)
    kernel = RNG.normal(size=(size, size, 7, 3)).astype(np.float32)
    g = RNG.normal(size=(2, stride * 5, stride * 6, 3)).astype(np.float32)

    def both(x, kernel, g):
        y, back = jax.vjp(lambda *arguments: deconvolve(*arguments, stride, crop), x, kernel)
        return y, *back(g)

    together = jax.jit(both)(x, kernel, g)
    np.testing.assert_allclose(together[0], reference.transposed(x, kernel, stride, crop), rtol=1e-4, atol=1e-4)
    monkeypatch.setattr(deconvolution, "MANY", 1)
    lowered = jax.jit(lambda *arguments: both(*arguments)).lower(x, kernel, g)
    assert lowered.as_text().count("convolution") >= stride**2  # a convolution for each phase
    for each, same in zip(lowered.compile()(x, kernel, g), together, strict=True):
        np.testing.assert_allclose(each, same, rtol=1e-4, atol=1e-4)


def test_a_shift_is_taken_only_where_it_saves_taps():
    assert [cheapest_shift(9, stride, 4) for stride in (2, 3, 4)] == [0, 1, 0]
