"""Batches of one scale, of several mixed, and of several at once."""

import jax
import numpy as np
import pytest

from jaxsr.imaging.patches import center_crop
from jaxsr.imaging.resize import resize
from jaxsr.models import MODELS
from jaxsr.training.tasks.super_resolution_task import crop_size, make_batch
from tests.helpers.configs import load_config


@pytest.mark.slow
def test_mixed_scales_are_each_the_enlargement_of_the_whole_photo():
    config = load_config("vdsr", "paper")
    config.data.augment = False
    spec = MODELS["vdsr"]
    side = crop_size(config, spec)
    assert side == 84  # 41 and 4 small pixels of x4 on each side, up to a multiple of 12
    photo = np.random.default_rng(0).integers(0, 256, (3 * side, 3 * side, 1), dtype=np.uint8)
    crops = np.repeat(np.repeat(photo[side : 2 * side, side : 2 * side], 3, axis=-1)[None], 12, axis=0)
    ((lr, hr, *_),) = make_batch(config, spec, crops, jax.random.split(jax.random.key(0), 12)).values()
    assert lr.shape == hr.shape == (12, 41, 41, 1)

    luma = np.asarray(make_luma(photo))
    expected = {}
    for scale in (2, 3, 4):
        enlarged = np.asarray(resize(resize(luma, 1 / scale), scale))
        expected[scale] = center_crop(enlarged[side : 2 * side, side : 2 * side], 41, 41)
    np.testing.assert_allclose(hr[0], center_crop(luma[side : 2 * side, side : 2 * side], 41, 41), atol=1e-5)
    found = [min(expected, key=lambda scale: np.abs(patch - expected[scale]).max()) for patch in np.asarray(lr)]
    assert set(found) == {2, 3, 4}
    for patch, scale in zip(np.asarray(lr), found, strict=True):
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
    crops = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    batches = make_batch(config, spec, crops, jax.random.split(jax.random.key(0), 2))
    assert list(batches) == [2, 4, 8]
    for scale, (lr, hr, *_) in batches.items():
        assert lr.shape == (2, 128 // scale, 128 // scale, 1) and hr.shape == (2, 128, 128, 1)
        np.testing.assert_array_equal(hr, batches[2].hr)
        inner = resize(np.asarray(hr, np.float64), 1 / scale)[:, 2:-2, 2:-2]  # beyond the border's reach
        np.testing.assert_allclose(lr[:, 2:-2, 2:-2], inner, atol=2e-6)


def test_rdn_learns_from_small_photos_of_8_bits_as_its_files_have():
    config, spec = load_config("rdn", "x3-paper"), MODELS["rdn"]
    config.data.patch = 4
    side = crop_size(config, spec)
    crops = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    levels = 255 * np.asarray(make_batch(config, spec, crops, jax.random.split(jax.random.key(0), 2))[3].lr)
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
