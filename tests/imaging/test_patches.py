"""Crops, the eight symmetries, and places to cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.patches import center_crop, dihedral, sub_image_starts


def test_center_crop():
    image = np.arange(5 * 6).reshape(5, 6, 1)
    np.testing.assert_array_equal(center_crop(image, 2, 3), image[1:3, 1:4])
    np.testing.assert_array_equal(center_crop(image, 5, 6), image)


def test_the_eight_symmetries_are_all_different_and_keep_the_pixels():
    image = jnp.arange(9).reshape(3, 3, 1)
    turned = [np.asarray(jax.jit(dihedral)(image, i)) for i in range(8)]
    assert len({t.tobytes() for t in turned}) == 8
    assert all(sorted(t.ravel()) == list(range(9)) for t in turned)
    np.testing.assert_array_equal(turned[0], image)
    np.testing.assert_array_equal(turned[5][..., 0], np.asarray(image)[::-1, :, 0].T)


@pytest.mark.parametrize(
    ("size", "side", "stride"), [(100, 32, 16), (33, 32, 16), (32, 32, 16), (20, 32, 16), (96, 32, 32)]
)
def test_sub_images_cover_everything_and_stay_inside(size, side, stride):
    starts = sub_image_starts(size, side, stride)
    assert starts[0] == 0 and len(set(starts)) == len(starts)
    covered = np.zeros(size, bool)
    for start in starts:
        covered[start : start + side] = True
        assert start + side <= max(size, side)
    assert covered.all()
