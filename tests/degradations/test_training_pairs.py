"""Training pairs are cut from what whole photos give."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.degradations.table import DEGRADATIONS
from jaxsr.degradations.training_pairs import patch_context, patch_pair
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.resize import resize

KEYS = jax.random.split(jax.random.key(0), 1)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("enlarged", [False, True])
def test_a_patch_equals_the_same_place_of_the_whole_photo(scale, enlarged):
    photo = np.random.default_rng(0).random((40 * scale, 40 * scale, 1))
    context, patch = patch_context("bicubic", scale, enlarged=enlarged), 6
    start, side = 10 * scale, scale * (patch + 2 * context)
    crop = jnp.asarray(photo[None, start : start + side, start : start + side], jnp.float32)
    lr, hr, kernels = patch_pair("bicubic", KEYS, crop, scale=scale, enlarged=enlarged, quantize=False)
    assert kernels is None
    whole = resize(photo, 1 / scale)
    whole = resize(whole, scale) if enlarged else whole
    unit = scale if enlarged else 1
    inner = slice(unit * (10 + context), unit * (10 + context + patch))
    np.testing.assert_allclose(lr[0], whole[inner, inner], atol=2e-6)
    inner = slice(scale * (10 + context), scale * (10 + context + patch))
    np.testing.assert_allclose(hr[0], photo[inner, inner], atol=1e-7)


@pytest.mark.parametrize(
    "name",
    [
        "pillow",
        "bd",
        "isotropic",
        "anisotropic",
        "gaussian8",
        "div2krk",
        pytest.param("motion", marks=pytest.mark.slow),
    ],
)
def test_a_patch_of_every_degradation_knows_nothing_of_its_crops_border(name):
    """Its kernel follows from its key; in 8 bits, a level's rounding can differ."""
    row, size = DEGRADATIONS[name], {"motion": 12}.get(name, 11)
    scale = row.scales[0]
    context = patch_context(name, scale, size)
    photo = np.float32(np.random.default_rng(1).random((1, 40 * scale, 40 * scale, 1)))
    start = scale * (20 - 3 - context)
    inside = slice(start, start + scale * (6 + 2 * context))
    pair = functools.partial(patch_pair, name, KEYS, scale=scale, kernel_size=size)
    lr, hr, _ = jax.jit(pair)(photo[:, inside, inside])
    whole, _, _ = jax.jit(pair)(photo)
    np.testing.assert_array_equal(hr, photo[:, 17 * scale : 23 * scale, 17 * scale : 23 * scale])
    difference = np.abs(lr - whole[:, 17 - context : 23 - context, 17 - context : 23 - context])
    assert difference.max() < 1.01 / 255 and (difference < 1e-5).mean() > 0.9


def test_quantised_input_has_8_bit_levels():
    hr = jnp.asarray(np.random.default_rng(1).random((1, 24, 24, 1)), jnp.float32)
    lr = patch_pair("bicubic", KEYS, hr, scale=2, quantize=True).lr
    plain = patch_pair("bicubic", KEYS, hr, scale=2, quantize=False).lr
    np.testing.assert_array_equal(lr, round_to_levels(plain))
    np.testing.assert_allclose(lr * 255, np.rint(np.asarray(lr) * 255), atol=1e-4)
