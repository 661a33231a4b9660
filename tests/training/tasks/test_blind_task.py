"""Batches of photos that random kernels blurred."""

import jax
import numpy as np
import pytest

from jaxsr.degradations.blurring import degrade
from jaxsr.models import MODELS
from jaxsr.training.tasks.blind_task import crop_size, make_batch
from tests.helpers.configs import load_config


@pytest.mark.slow
def test_patches_are_what_their_kernels_make_of_the_whole_photo():
    """Each example has its own kernel, the same on any device, and its patch knows nothing of the crop's borders."""
    config = load_config("danv1", "x2-aniso")
    config.data.update(augment=False, patch=8, quantize_lr=False)
    spec = MODELS["danv1"]
    side = crop_size(config, spec)
    assert side == 2 * (8 + 2 * 5)  # 3 LR pixels of half a kernel of 11, and 2 of bicubic
    photo = np.random.default_rng(0).integers(0, 256, (3 * side, 3 * side, 3), dtype=np.uint8)
    crops = np.repeat(photo[None, side : 2 * side, side : 2 * side], 3, axis=0)
    keys = jax.random.split(jax.random.key(0), 3)
    batch = make_batch(config, spec, crops, keys)[2]
    assert batch.lr.shape == (3, 8, 8, 3) and batch.hr.shape == (3, 16, 16, 3)
    assert batch.kernels is not None
    np.testing.assert_allclose(batch.kernels.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert np.abs(batch.kernels[0] - batch.kernels[1]).max() > 1e-3
    whole = degrade(keys[0], np.float32(photo[None] / 255), batch.kernels[1:2], 2, quantize=False)
    inner = slice(side // 2 + 5, side // 2 + 13)
    np.testing.assert_allclose(batch.lr[1], whole[0, inner, inner], atol=2e-6)
    alone = make_batch(config, spec, crops[1:2], keys[1:2])[2].kernels
    np.testing.assert_array_equal(alone[0], batch.kernels[1])
