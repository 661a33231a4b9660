"""Training pairs are cut from what whole photos give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.degradations.reductions import DEGRADATIONS, pair_context, reduced_pair
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.resize import resize

KEYS = jax.random.split(jax.random.key(0), 1)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("enlarged", [False, True])
def test_a_patch_equals_the_same_place_of_the_whole_photo(scale, enlarged):
    photo = np.random.default_rng(0).random((40 * scale, 40 * scale, 1))
    context, patch = pair_context(enlarged), 6
    start, side = 10 * scale, scale * (patch + 2 * context)
    crop = jnp.asarray(photo[None, start : start + side, start : start + side], jnp.float32)
    small, sharp = reduced_pair(KEYS, crop, scale, enlarged=enlarged, quantize=False)
    whole = resize(photo, 1 / scale)
    whole = resize(whole, scale) if enlarged else whole
    unit = scale if enlarged else 1
    inner = slice(unit * (10 + context), unit * (10 + context + patch))
    np.testing.assert_allclose(small[0], whole[inner, inner], atol=2e-6)
    inner = slice(scale * (10 + context), scale * (10 + context + patch))
    np.testing.assert_allclose(sharp[0], photo[inner, inner], atol=1e-7)


def test_quantised_input_has_8_bit_levels():
    hr = jnp.asarray(np.random.default_rng(1).random((1, 24, 24, 1)), jnp.float32)
    small, _ = reduced_pair(KEYS, hr, 2, enlarged=False, quantize=True)
    plain, _ = reduced_pair(KEYS, hr, 2, enlarged=False, quantize=False)
    np.testing.assert_array_equal(small, round_to_levels(plain))
    np.testing.assert_allclose(small * 255, np.rint(np.asarray(small) * 255), atol=1e-4)


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
    small = DEGRADATIONS["BD"](KEYS, jnp.asarray(hr, jnp.float32), scale)
    np.testing.assert_allclose(small, np.rint(expected * 255) / 255, atol=1e-6)


def test_dn_is_bicubic_with_noise_of_30_levels():
    hr = jnp.full((2, 300, 300, 1), 128 / 255)
    keys = jax.random.split(jax.random.key(1), 2)
    levels = np.asarray(DEGRADATIONS["DN"](keys, hr, 3)) * 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert levels.shape == (2, 100, 100, 1)
    assert levels.mean() == pytest.approx(128, abs=1) and levels.std() == pytest.approx(30, abs=0.6)
    assert np.abs(np.corrcoef(levels[0].ravel(), levels[1].ravel())[0, 1]) < 0.05  # each photo has its own
    np.testing.assert_array_equal(levels, np.asarray(DEGRADATIONS["DN"](keys, hr, 3)) * 255)
