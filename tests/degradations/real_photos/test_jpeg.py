"""JPEG on the device against Pillow's encoder and decoder."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsr.degradations.real_photos.jpeg import jpeg
from jaxsr.imaging.resize import resize

RNG = np.random.default_rng(0)
PHOTO = np.rint(255 * resize(RNG.random((14, 18, 3)), size=(75, 101)).clip(0, 1) * [0.9, 1, 0.8]).astype(np.uint8)
PHOTO[20:40, 30:60] = [200, 30, 60]  # an edge in all channels
compressed = jax.jit(jpeg)


def by_pillow(photo, quality):
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return np.float64(Image.open(buffer))


@pytest.mark.parametrize("quality", [10, 30, 49, 50, 75, 90, 95])
def test_levels_are_pillows(quality):
    """The codec's integer transform turns a coefficient here and there that lies between two steps."""
    ours = 255 * np.asarray(compressed(PHOTO / np.float32(255), quality))
    theirs = by_pillow(PHOTO, quality)
    difference = np.abs(ours - theirs)
    assert difference.mean() < 0.6 and np.median(difference) < 0.01
    assert np.abs(theirs - PHOTO).mean() > 8 * difference.mean()


@pytest.mark.parametrize("quality", [20, 80])
def test_grey_levels_are_pillows(quality):
    ours = 255 * np.asarray(compressed(PHOTO[..., :1] / np.float32(255), quality))
    assert np.abs(ours[..., 0] - by_pillow(PHOTO[..., 0], quality)).mean() < 0.3


def test_gradients_pass_the_roundings():
    """The sum of a photo's levels hangs on each of them as if nothing were rounded."""
    photo = jnp.asarray(0.3 + 0.4 * RNG.random((16, 16, 1)), jnp.float32)
    gradient = jax.grad(lambda x: jnp.sum(jpeg(x, 80)))(photo)
    np.testing.assert_allclose(gradient, 1, atol=1e-4)
