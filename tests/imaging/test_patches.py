"""Crops, the eight symmetries, and places to cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.patches import (
    center_crop,
    cut_border,
    dihedral,
    modcrop,
    shave,
    stretch_levels,
    sub_image_starts,
)


def test_center_crop():
    image = np.arange(5 * 6).reshape(5, 6, 1)
    np.testing.assert_array_equal(center_crop(image, 2, 3), image[1:3, 1:4])
    np.testing.assert_array_equal(center_crop(image, 5, 6), image)


def test_borders_and_multiples():
    image = np.arange(7 * 9).reshape(7, 9, 1)
    np.testing.assert_array_equal(cut_border(np.stack([image, -image]), 2)[1], -image[2:5, 2:7])
    np.testing.assert_array_equal(shave(image, 3), image[3:4, 3:6])
    np.testing.assert_array_equal(shave(image, 0), image)
    np.testing.assert_array_equal(modcrop(image, 4), image[:4, :8])
    np.testing.assert_array_equal(modcrop(image, 1), image)


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


def test_stretched_levels_keep_the_rest_and_reach_black_and_white():
    image = np.linspace(0.2, 0.8, 64, dtype=np.float32).reshape(8, 8, 1)
    keys = jax.random.split(jax.random.key(5), 400)
    stretched = np.asarray(jax.vmap(lambda key: stretch_levels(key, image, share=0.25))(keys))
    changed = (stretched != image).any(axis=(1, 2, 3))
    assert 0.18 < changed.mean() < 0.32
    assert stretched.min() == 0 and stretched.max() == 1
    steps = np.diff(stretched[changed].reshape(changed.sum(), 64), axis=1)
    assert (steps >= 0).all() and steps.max() <= 4 * np.diff(image.ravel()).max() + 1e-6
