"""Reductions without a random kernel, against Pillow, loops in NumPy and statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsr.degradations.reductions import reduce_bd, reduce_dn, reduce_pillow
from jaxsr.imaging.resize import resize


@pytest.mark.parametrize("scale", [2, 3])
def test_bd_is_a_blur_and_every_scale_th_pixel(scale):
    hr = np.random.default_rng(2).random((2, 5 * scale, 4 * scale, 3))
    offsets = np.arange(-3, 4)
    kernel = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.6**2))
    kernel /= kernel.sum()
    padded = np.pad(hr, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="edge")
    expected = np.zeros((2, 5, 4, 3))
    for row, column in np.ndindex(5, 4):
        top, left = row * scale + scale // 2, column * scale + scale // 2
        window = padded[:, top : top + 7, left : left + 7]
        expected[:, row, column] = (window * kernel[None, :, :, None]).sum(axis=(1, 2))
    lr = reduce_bd(jnp.asarray(hr, jnp.float32), scale)
    np.testing.assert_allclose(lr, np.rint(expected * 255) / 255, atol=1e-6)


def test_dn_is_bicubic_with_noise_of_30_levels():
    hr = jnp.full((2, 300, 300, 1), 128 / 255)
    keys = jax.random.split(jax.random.key(1), 2)
    levels = np.asarray(reduce_dn(keys, hr, 3)) * 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert levels.shape == (2, 100, 100, 1)
    assert levels.mean() == pytest.approx(128, abs=1) and levels.std() == pytest.approx(30, abs=0.6)
    assert np.abs(np.corrcoef(levels[0].ravel(), levels[1].ravel())[0, 1]) < 0.05  # each photo has its own
    np.testing.assert_array_equal(levels, np.asarray(reduce_dn(keys, hr, 3)) * 255)


@pytest.mark.parametrize(("scale", "channels"), [(2, 3), (3, 1), (4, 3), (8, 3)])
def test_pillow_is_pillow(scale, channels):
    """Noise and hard edges, up to the border."""
    rng = np.random.default_rng(scale)
    photos = rng.integers(0, 256, (2, 24 * scale, 20 * scale, channels), dtype=np.uint8)
    photos[1] = np.where(photos[1, ::-1] > 100, 255, 0)
    lr = np.asarray(jax.jit(reduce_pillow, static_argnums=1)(np.float32(photos / 255), scale)) * 255
    for ours, photo in zip(lr, photos, strict=True):
        image = Image.fromarray(photo.squeeze())
        theirs = np.asarray(image.resize((20, 24), Image.Resampling.BICUBIC), np.float32).reshape(ours.shape)
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_pillow_keeps_flat_photos_and_differs_from_matlab_at_the_border():
    flat = jnp.full((1, 12, 12, 1), 77 / 255)
    np.testing.assert_allclose(reduce_pillow(flat, 3) * 255, 77, atol=1e-4)
    ramp = jnp.asarray(np.tile(np.arange(0, 240, 10, dtype=np.float32) / 255, (24, 1))[None, ..., None])
    difference = np.abs(np.asarray(reduce_pillow(ramp, 2) - resize(ramp, 1 / 2)))[0, ..., 0] * 255
    assert difference[:, 2:-2].max() < 0.51 and difference[:, 0].min() > 0.5
