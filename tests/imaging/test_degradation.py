"""Training pairs are cut from what whole photos give."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.degradation import bicubic_pair, pair_context
from jaxsr.imaging.resize import resize


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("enlarged", [False, True])
def test_a_patch_equals_the_same_place_of_the_whole_photo(scale, enlarged):
    photo = np.random.default_rng(0).random((40 * scale, 40 * scale, 1))
    context, patch = pair_context(enlarged), 6
    start, side = 10 * scale, scale * (patch + 2 * context)
    crop = jnp.asarray(photo[None, start : start + side, start : start + side], jnp.float32)
    small, sharp = bicubic_pair(crop, scale, enlarged=enlarged, quantize=False)
    whole = resize(photo, 1 / scale)
    whole = resize(whole, scale) if enlarged else whole
    unit = scale if enlarged else 1
    inner = slice(unit * (10 + context), unit * (10 + context + patch))
    np.testing.assert_allclose(small[0], whole[inner, inner], atol=2e-6)
    inner = slice(scale * (10 + context), scale * (10 + context + patch))
    np.testing.assert_allclose(sharp[0], photo[inner, inner], atol=1e-7)


def test_quantised_input_has_8_bit_levels():
    hr = jnp.asarray(np.random.default_rng(1).random((1, 24, 24, 1)), jnp.float32)
    small, _ = bicubic_pair(hr, 2, enlarged=False, quantize=True)
    plain, _ = bicubic_pair(hr, 2, enlarged=False, quantize=False)
    np.testing.assert_array_equal(small, round_to_levels(plain))
    np.testing.assert_allclose(small * 255, np.rint(np.asarray(small) * 255), atol=1e-4)
