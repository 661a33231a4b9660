"""BT.601 as MATLAB has it."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.color import full_range_luma, luma, rgb_to_ycbcr, round_to_levels, ycbcr_to_rgb
from jaxsr.imaging.pixels import to_rgb
from jaxsr.support.errors import UserError


def test_primaries_have_matlab_values():
    """rgb2ycbcr of MATLAB R2023b on doubles, times 255."""
    colors = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    expected = [
        [16, 128, 128],
        [235, 128, 128],
        [81.481, 90.203, 240],
        [144.553, 53.797, 34.214],
        [40.966, 240, 109.786],
    ]
    np.testing.assert_allclose(rgb_to_ycbcr(colors) * 255, expected, atol=1e-9)


def test_there_and_back():
    rgb = np.random.default_rng(0).random((5, 6, 3))
    np.testing.assert_allclose(ycbcr_to_rgb(rgb_to_ycbcr(rgb)), rgb, atol=1e-14)
    single = jnp.asarray(rgb, jnp.float32)
    np.testing.assert_allclose(ycbcr_to_rgb(rgb_to_ycbcr(single)), rgb, atol=1e-6)


def test_luma_is_the_first_channel_and_grey_its_own():
    rgb = np.random.default_rng(1).random((2, 5, 6, 3))
    np.testing.assert_allclose(luma(rgb), rgb_to_ycbcr(rgb)[..., :1], atol=1e-15)
    assert luma(rgb[..., :1]) is not None
    np.testing.assert_array_equal(luma(rgb[..., :1]), rgb[..., :1])


@pytest.mark.parametrize("convert", [luma, full_range_luma, rgb_to_ycbcr, ycbcr_to_rgb])
@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_levels_are_refused(convert, kind):
    """Their luma would be 0 everywhere."""
    with pytest.raises(UserError, match="floats in .0, 1.; got uint8; divide by the level of white, 255"):
        convert(kind(np.full((4, 4, 3), 200, np.uint8)))


def test_rounding_is_half_up_and_clips():
    levels = np.array([-0.2, 0.5 / 255, 1.49 / 255, 1.5 / 255, 254.6 / 255, 1.3])
    np.testing.assert_allclose(round_to_levels(levels) * 255, [0, 1, 1, 2, 255, 255])
    np.testing.assert_allclose(round_to_levels(jnp.asarray(levels)) * 255, [0, 1, 1, 2, 255, 255], rtol=1e-6)


@pytest.mark.parametrize("convert", [luma, full_range_luma, rgb_to_ycbcr, ycbcr_to_rgb, to_rgb])
@pytest.mark.parametrize("shape", [(4, 4, 2), (4, 4, 4), ()])
def test_other_numbers_of_channels_are_refused(convert, shape):
    with pytest.raises(UserError, match=r"on the last axis; got shape \("):
        convert(np.full(shape, 0.5))
