"""Resizing photos whose sides are symbols gives what resizing by numbers gives."""

import jax
import numpy as np
import pytest

from jaxsr.imaging.resize import resize
from jaxsr.imaging.symbolic_sizes import is_symbolic, reflect_to_multiples


def exported(function, multiple=1):
    n, h, w = jax.export.symbolic_shape("n,h,w", constraints=["h >= 4", "w >= 4"])
    photos = jax.ShapeDtypeStruct((n, multiple * h, multiple * w, 3), np.float32)
    return jax.export.export(jax.jit(function))(photos).call


@pytest.mark.parametrize(("scale", "multiple"), [(2, 1), (3, 1), (4, 1), (8, 1), (3 / 4, 4)])
def test_resizing_is_the_same(scale, multiple):
    resized = exported(lambda x: resize(x, scale), multiple)
    for shape in ((1, 16, 20, 3), (2, 24, 16, 3)):
        photos = np.random.default_rng(0).random(shape, np.float32)
        np.testing.assert_allclose(resized(photos), resize(photos, scale), atol=2e-6)


def test_reflecting_is_the_same():
    padded = exported(lambda x: reflect_to_multiples(x, 4))
    photos = np.random.default_rng(0).random((1, 9, 12, 3), np.float32)
    np.testing.assert_array_equal(padded(photos), np.pad(photos, ((0, 0), (0, 3), (0, 0), (0, 0)), "reflect"))


def test_numbers_are_no_symbols():
    assert not is_symbolic(3) and is_symbolic(jax.export.symbolic_shape("h")[0])
