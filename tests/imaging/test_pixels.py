"""Levels to floats and back: every level survives, 16 bits round to 8, grey and RGB."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.color import luma
from jaxsr.imaging.pixels import max_level, to_8_bit, to_channels, to_float, to_levels, to_rgb

KINDS = [np.asarray, jnp.asarray]


def levels_of(dtype):
    return np.arange(np.iinfo(dtype).max + 1, dtype=dtype)


def test_white():
    assert [max_level(dtype) for dtype in (np.uint8, np.dtype(np.uint16), np.float32, float)] == [255, 65535, 1, 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_level_comes_back(kind, dtype):
    levels = kind(levels_of(dtype))
    image = to_float(levels)
    assert isinstance(image, type(levels)) and image.dtype == np.float32
    assert image[0] == 0 and image[-1] == 1
    back = to_levels(image, dtype)
    assert back.dtype == dtype and isinstance(back, type(levels))
    np.testing.assert_array_equal(back, levels)


def test_host_divides_in_double_precision():
    levels = levels_of(np.uint8)
    np.testing.assert_array_equal(to_float(levels), (levels.astype(np.float64) / 255).astype(np.float32))
    np.testing.assert_allclose(to_float(jnp.asarray(levels)), to_float(levels), atol=6e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_floats_stay_floats(kind):
    image = kind(np.array([-0.5, 0.25, 1.5], np.float32))
    np.testing.assert_array_equal(to_float(image), image)
    np.testing.assert_array_equal(to_levels(image, np.float32), [0, 0.25, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_levels_are_clipped_and_rounded_half_up(kind):
    image = kind(np.array([-0.2, 0.5 / 255, 1.49 / 255, 1.51 / 255, 254.6 / 255, 1.3], np.float32))
    np.testing.assert_array_equal(to_levels(image), [0, 1, 1, 2, 255, 255])


def test_on_the_device():
    """Both directions run inside a compiled function."""
    levels = levels_of(np.uint8)
    np.testing.assert_array_equal(jax.jit(lambda x: to_levels(to_float(x)))(levels), levels)


def test_16_bits_round_to_8():
    values = np.array([0, 128, 129, 257, 65535 - 129, 65535 - 128, 65535], np.uint16)
    assert to_8_bit(values).tolist() == [0, 0, 1, 1, 254, 255, 255]
    assert to_8_bit(np.array([7], np.uint8)).tolist() == [7]
    every = levels_of(np.uint16)
    np.testing.assert_array_equal(to_8_bit(every), np.floor(every / 257 + 0.5).astype(np.uint8))


@pytest.mark.parametrize("kind", KINDS)
def test_grey_and_rgb(kind):
    grey, rgb = (kind(np.random.default_rng(0).random((2, 4, 5, c), np.float32)) for c in (1, 3))
    assert to_rgb(grey).shape == (2, 4, 5, 3)
    np.testing.assert_array_equal(to_rgb(grey), np.repeat(grey, 3, -1))
    np.testing.assert_array_equal(to_rgb(rgb), rgb)
    np.testing.assert_array_equal(to_channels(grey, 3), to_rgb(grey))
    np.testing.assert_array_equal(to_channels(grey, 1), grey)
    np.testing.assert_array_equal(to_channels(rgb, 1), luma(rgb))
    np.testing.assert_array_equal(to_channels(rgb, 3), rgb)


def test_numpy_arrays_need_no_jax():
    code = "import jaxsr.imaging.pixels as p, numpy, sys; p.to_float(numpy.zeros(3)); print('jax' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
