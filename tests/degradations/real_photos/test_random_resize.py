"""Resizing with traced factors against Pillow and plain means."""

import jax
import numpy as np
import pytest
from PIL import Image

from jaxsr.degradations.real_photos.random_resize import Canvas, resize_canvas

PHOTO = np.float32(np.random.default_rng(0).random((30, 40, 1)))
PILLOW = {1: Image.Resampling.BILINEAR, 2: Image.Resampling.BICUBIC}
on_canvas = jax.jit(resize_canvas, static_argnames="room")


@pytest.mark.parametrize("method", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(11, 23), (30, 40), (35, 47)])
def test_filters_are_pillows(height, width, method):
    """Its bicubic has a = -0.5 too."""
    result = on_canvas(Canvas(PHOTO, 30, 40), (36, 48), height, width, method)
    expected = Image.fromarray(PHOTO[..., 0]).resize((width, height), PILLOW[method])
    np.testing.assert_allclose(result.pixels[:height, :width, 0], expected, atol=1e-5)
    assert (result.height, result.width) == (height, width)
    np.testing.assert_array_equal(result.pixels[height:], result.pixels[height - 1 : height].repeat(36 - height, 0))


def test_area_takes_the_mean_of_what_a_pixel_covers():
    result = on_canvas(Canvas(PHOTO, 30, 40), (36, 48), 10, 10, 0)
    expected = PHOTO.reshape(10, 3, 10, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(result.pixels[:10, :10, 0], expected, atol=1e-6)


def test_what_lies_beyond_the_photo_is_not_seen():
    beyond = np.pad(PHOTO, ((0, 6), (0, 8), (0, 0)), constant_values=9)
    alone = on_canvas(Canvas(PHOTO, 30, 40), (36, 48), 17, 22, 2)
    np.testing.assert_allclose(on_canvas(Canvas(beyond, 30, 40), (36, 48), 17, 22, 2).pixels, alone.pixels, atol=1e-6)
