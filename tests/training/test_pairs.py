"""What a step is given: pairs of one scale, of several mixed, and of several at once."""

import jax
import numpy as np

from jaxsr.degradations.blur import degrade
from jaxsr.imaging.patches import center_crop
from jaxsr.imaging.resize import resize
from jaxsr.models import MODELS
from jaxsr.training.pairs import crop_size, make_pairs
from tests.models.test_configs import load_config


def test_mixed_scales_are_each_the_enlargement_of_the_whole_photo():
    config = load_config("vdsr", "paper")
    config.data.augment = False
    spec = MODELS["vdsr"]
    side = crop_size(config, spec)
    assert side == 84  # 41 and 4 small pixels of x4 on each side, up to a multiple of 12
    photo = np.random.default_rng(0).integers(0, 256, (3 * side, 3 * side, 1), dtype=np.uint8)
    hr = np.repeat(np.repeat(photo[side : 2 * side, side : 2 * side], 3, axis=-1)[None], 12, axis=0)
    ((small, sharp, *_),) = make_pairs(hr, jax.random.split(jax.random.key(0), 12), config, spec, 1).values()
    assert small.shape == sharp.shape == (12, 41, 41, 1)

    luma = np.asarray(make_luma(photo))
    expected = {}
    for scale in (2, 3, 4):
        enlarged = np.asarray(resize(resize(luma, 1 / scale), scale))
        expected[scale] = center_crop(enlarged[side : 2 * side, side : 2 * side], 41, 41)
    np.testing.assert_allclose(sharp[0], center_crop(luma[side : 2 * side, side : 2 * side], 41, 41), atol=1e-5)
    found = [min(expected, key=lambda scale: np.abs(patch - expected[scale]).max()) for patch in np.asarray(small)]
    assert set(found) == {2, 3, 4}
    for patch, scale in zip(np.asarray(small), found, strict=True):
        np.testing.assert_allclose(patch, expected[scale], atol=1e-4)


def make_luma(grey: np.ndarray) -> np.ndarray:
    """Return BT.601's Y of grey levels, in [0, 1]."""
    return (16 + 219 * (grey.astype(np.float64) / 255)) / 255


def test_a_network_on_small_photos_gets_the_same_crops_at_every_scale():
    config = load_config("mslapsrn", "D5R2")
    config.data.update(augment=False, stretch=0.0)
    spec = MODELS["mslapsrn"]
    side = crop_size(config, spec)
    assert side == 160  # 128 and 2 small pixels of x8 on each side
    hr = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    pairs = make_pairs(hr, jax.random.split(jax.random.key(0), 2), config, spec, 1)
    assert list(pairs) == [2, 4, 8]
    for scale, (small, sharp, *_) in pairs.items():
        assert small.shape == (2, 128 // scale, 128 // scale, 1) and sharp.shape == (2, 128, 128, 1)
        np.testing.assert_array_equal(sharp, pairs[2].sharp)
        inner = resize(np.asarray(sharp, np.float64), 1 / scale)[:, 2:-2, 2:-2]  # beyond the border's reach
        np.testing.assert_allclose(small[:, 2:-2, 2:-2], inner, atol=2e-6)


def test_blind_pairs_are_what_their_kernels_make_of_the_whole_photo():
    """Each example has its own kernel, the same on any device, and its patch knows nothing of the crop's borders."""
    config = load_config("danv1", "x2-aniso")
    config.data.update(augment=False, patch=8, quantize_lr=False)
    spec = MODELS["danv1"]
    side = crop_size(config, spec)
    assert side == 2 * (8 + 2 * 5)  # 3 small pixels of half a kernel of 11, and 2 of bicubic
    photo = np.random.default_rng(0).integers(0, 256, (3 * side, 3 * side, 3), dtype=np.uint8)
    hr = np.repeat(photo[None, side : 2 * side, side : 2 * side], 3, axis=0)
    keys = jax.random.split(jax.random.key(0), 3)
    pair = make_pairs(hr, keys, config, spec, 3)[2]
    assert pair.small.shape == (3, 8, 8, 3) and pair.sharp.shape == (3, 16, 16, 3)
    np.testing.assert_allclose(pair.kernels.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert np.abs(pair.kernels[0] - pair.kernels[1]).max() > 1e-3
    whole = degrade(keys[0], np.float32(photo[None] / 255), pair.kernels[1:2], 2, quantize=False)
    inner = slice(side // 2 + 5, side // 2 + 13)
    np.testing.assert_allclose(pair.small[1], whole[0, inner, inner], atol=2e-6)
    np.testing.assert_array_equal(make_pairs(hr[1:2], keys[1:2], config, spec, 3)[2].kernels[0], pair.kernels[1])
