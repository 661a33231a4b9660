"""Crops drawn on the device lie in the photos, everywhere alike."""

import jax
import numpy as np
import pytest

from jaxsr.data.resident import draw_crops, pack, rescaled
from jaxsr.imaging.resize import resize
from jaxsr.support.errors import UserError


@pytest.fixture
def photos():
    """Return photos whose pixels name their photo, row and column."""
    sizes = {"a": (12, 15), "b": (9, 30), "small": (4, 50)}
    return {
        name: np.stack(np.broadcast_arrays(np.uint8(i), *np.indices(size, np.uint8)), axis=-1)
        for i, (name, size) in enumerate(sizes.items())
    }


def test_every_crop_is_a_place_in_a_photo_and_every_place_is_drawn(photos):
    packed = jax.device_put(pack(photos, 6))
    crops = np.asarray(draw_crops(jax.random.split(jax.random.key(0), 4000), packed, 6))
    rows, columns = np.indices((6, 6))
    np.testing.assert_array_equal(crops[..., 0], np.broadcast_to(crops[:, :1, :1, 0], crops.shape[:3]))
    np.testing.assert_array_equal(crops[..., 1], crops[:, :1, :1, 1] + rows[None])
    np.testing.assert_array_equal(crops[..., 2], crops[:, :1, :1, 2] + columns[None])
    places, counts = np.unique(crops[:, 0, 0], axis=0, return_counts=True)
    expected = {(0, y, x) for y in range(7) for x in range(10)} | {(1, y, x) for y in range(4) for x in range(25)}
    assert {tuple(int(v) for v in place) for place in places} == expected
    assert counts.mean() == pytest.approx(4000 / 170) and counts.max() < 60


def test_crops_of_more_channels(photos):
    """A photo and what lies behind it are cropped at one place."""
    double = {name: np.concatenate([photo, photo + 100], axis=-1) for name, photo in photos.items()}
    crops = np.asarray(draw_crops(jax.random.split(jax.random.key(0), 50), jax.device_put(pack(double, 6)), 6))
    assert crops.shape == (50, 6, 6, 6)
    np.testing.assert_array_equal(crops[..., 3:], crops[..., :3] + 100)
    np.testing.assert_array_equal(
        crops[..., 2], np.broadcast_to(crops[:, :1, :1, 2] + np.arange(6)[None, None], (50, 6, 6))
    )


def test_photos_too_small_for_any_crop(photos):
    with pytest.raises(UserError, match="no training photo has 13 pixels a side.*the largest has 12"):
        pack(photos, 13)


def test_rescaled_photos(photos):
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    both = rescaled({"p": photo}, (1.0, 0.6))
    np.testing.assert_array_equal(both["p@1.0"], photo)
    expected = resize(photo / 255, 0.6, uint8_stages=True) * 255
    assert both["p@0.6"].shape == (12, 18, 3)
    np.testing.assert_allclose(both["p@0.6"], expected, atol=1e-9)


def test_photos_too_small_for_a_crop_are_named(caplog):
    photos = {"f/a.png": np.zeros((20, 30, 3), np.uint8), "f/b.png": np.zeros((4, 30, 3), np.uint8)}
    with caplog.at_level("WARNING"):
        pack(photos, 6)
    (record,) = caplog.records
    message = record.getMessage()
    assert "left out 1 photo of fewer than 6 pixels a side: f/b.png (30x4);" in message and "\n" not in message
    caplog.clear()
    with caplog.at_level("WARNING"):
        pack(rescaled({"f/a.png": photos["f/a.png"]}, [1, 0.25]), 6)
    assert "left out reduced copies of larger photos, 1 in all; a crop" in caplog.text
    caplog.clear()
    pack({"f/a.png": photos["f/a.png"]}, 6)
    assert not caplog.records


def test_long_lists_are_cut(caplog):
    photos = {f"{i}.png": np.zeros((3, 3, 3), np.uint8) for i in range(40)} | {"a": np.zeros((9, 9, 3), np.uint8)}
    pack(photos, 6)
    assert "9.png (3x3), and 30 more;" in caplog.text and "10.png" not in caplog.text
