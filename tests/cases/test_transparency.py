"""Transparent photos are enlarged without a fringe of the colour that nobody sees."""

import numpy as np
import pytest
from PIL import Image

import jaxsr
from jaxsr.data.images import Photo, read_photo, write_photo
from jaxsr.restoration.photo_files import restore_files
from jaxsr.weights import load

COLOUR = np.array([255, 220, 40])
LUMA = np.array([0.299, 0.587, 0.114])


def disc(hidden, dtype=np.uint8):
    """Return bands (48, 48, 4) of a disc with a soft edge, with the colour `hidden` under alpha 0."""
    y, x = np.mgrid[:48, :48] - 23.5
    alpha = np.clip(16 - np.hypot(x, y), 0, 2) / 2
    colour = np.where(alpha[..., None] > 0, COLOUR, hidden)
    bands = np.concatenate([colour, np.rint(255 * alpha)[..., None]], axis=-1)
    return (bands * (257 if dtype == np.uint16 else 1)).astype(dtype)


def darkest_on_white(bands):
    """Return the least luma, of 255, of `bands` laid on white."""
    levels = bands / np.iinfo(bands.dtype).max
    laid = levels[..., :3] * levels[..., 3:] + 1 - levels[..., 3:]
    return 255 * (laid @ LUMA).min()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("hidden", [(0, 0, 0), (0, 255, 0), (255, 255, 255)])
def test_no_fringe(hidden, dtype):
    result = jaxsr.restore(disc(hidden, dtype), "bicubic", scale=2)
    assert darkest_on_white(result) > 209  # the disc has 210
    visible = result[..., 3] > 0
    np.testing.assert_allclose(
        result[visible][:, :3] / np.iinfo(dtype).max * 255, np.broadcast_to(COLOUR, (visible.sum(), 3)), atol=1
    )


def test_paths_pil_images_and_files_alike(tmp_path):
    Image.fromarray(disc((0, 0, 0))).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        result = np.asarray(jaxsr.restore(image, "bicubic", scale=2))
    np.testing.assert_array_equal(result, jaxsr.restore(tmp_path / "a.png", "bicubic", scale=2))
    assert restore_files(load("bicubic-x2"), {tmp_path / "a.png": tmp_path / "b.png"}) == {}
    np.testing.assert_array_equal(result, read_photo(tmp_path / "b.png").bands)


@pytest.mark.slow
def test_zssr_has_no_fringe():
    assert darkest_on_white(jaxsr.restore(disc((0, 0, 0)), "zssr,steps=30", scale=2)) > 200


def test_a_photo_that_is_transparent_everywhere(tmp_path):
    write_photo(tmp_path / "a.png", Photo(np.full((9, 9, 3), 7, np.uint8), np.zeros((9, 9, 1), np.uint8)))
    assert jaxsr.restore(tmp_path / "a.png", "bicubic", scale=2).tolist() == np.full((18, 18, 4), [7, 7, 7, 0]).tolist()
