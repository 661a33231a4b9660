import numpy as np
import pytest

from jaxsr.imaging.transparency import fill_transparent
from tests.helpers.photos import photo


def test_visible_pixels_stay_and_hidden_ones_lie_between_them():
    pixels, alpha = photo(37, 41), photo(37, 41, 1)
    alpha[alpha < 128] = 0
    filled = fill_transparent(pixels, alpha)
    visible = alpha[..., 0] > 0
    np.testing.assert_array_equal(filled[visible], pixels[visible])
    assert filled.dtype == np.uint8 and filled[~visible].max() <= pixels[visible].max()
    other = np.where(visible[..., None], pixels, 0)
    np.testing.assert_array_equal(fill_transparent(other, alpha), filled)  # what was hidden has no influence


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (64, 64), (65, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_one_visible_pixel_colours_the_photo(shape, dtype):
    pixels, alpha = photo(*shape, 3, dtype), np.zeros((*shape, 1), dtype)
    alpha[shape[0] // 2, shape[1] // 2] = 1e-3 if dtype == np.float32 else 1
    expected = np.broadcast_to(pixels[shape[0] // 2, shape[1] // 2], pixels.shape)
    np.testing.assert_allclose(fill_transparent(pixels, alpha), expected, rtol=1e-6)


def test_nearby_colours_win():
    pixels, alpha = np.zeros((16, 32, 1), np.uint8), np.zeros((16, 32, 1), np.uint8)
    pixels[:, :4], pixels[:, -4:] = 50, 200
    alpha[:, :4] = alpha[:, -4:] = 255
    filled = fill_transparent(pixels, alpha)
    assert (filled[:, :8] == 50).all() and (filled[:, -8:] == 200).all()


def test_nothing_to_do():
    pixels = photo(5, 5)
    for alpha in (None, np.full((5, 5, 1), 1, np.uint8), np.zeros((5, 5, 1), np.uint8)):
        assert fill_transparent(pixels, alpha) is pixels
