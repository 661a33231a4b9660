"""What each protocol compares."""

import dataclasses

import numpy as np
import pytest

from jaxsr.imaging.color import luma
from jaxsr.imaging.patches import modcrop, shave
from jaxsr.imaging.pixels import to_levels
from jaxsr.metrics.protocols import PROTOCOLS
from jaxsr.support.errors import UserError


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    hr = rng.integers(0, 256, (40, 37, 3)) / 255
    return np.clip(hr + rng.normal(0, 0.05, hr.shape), 0, 1), hr


def test_protocols_round_what_they_say(images):
    restored, hr = images
    y8, reference = PROTOCOLS["y8"].images(restored, hr, luma_only=True)
    np.testing.assert_array_equal(y8, np.floor(luma(restored) * 255 + 0.5) / 255)
    np.testing.assert_array_equal(reference, np.floor(luma(hr) * 255 + 0.5) / 255)
    y, reference = PROTOCOLS["y"].images(restored, hr, luma_only=True)
    np.testing.assert_allclose(y, luma(np.floor(restored * 255 + 0.5) / 255), atol=1e-15)
    np.testing.assert_allclose(reference, luma(hr), atol=1e-15)
    rgb, reference = PROTOCOLS["rgb"].images(restored, hr, luma_only=False)
    np.testing.assert_array_equal(rgb, np.floor(restored * 255 + 0.5) / 255)
    assert reference is hr


def test_what_is_compared_is_what_is_saved():
    """Next to halves of a level, where single and double precision round some values to different levels."""
    halves = (np.arange(255, dtype=np.float32) + np.float32(0.5)) / np.float32(255)
    restored = np.stack([np.nextafter(halves, np.float32(side)) for side in (0, 1)], axis=1)[..., None]
    rgb, _ = PROTOCOLS["rgb"].images(restored, np.zeros(restored.shape), luma_only=False)
    assert (np.floor(restored.astype(np.float64) * 255 + 0.5) != to_levels(restored)).any()
    np.testing.assert_array_equal(rgb, to_levels(restored) / 255)


@pytest.mark.parametrize("scale", [2, 3, 8])
def test_score_cuts_scale_pixels(scale, images):
    restored, hr = images
    spoilt = restored.copy()
    spoilt[:scale], spoilt[:, -scale:] = 0, 1
    same = [PROTOCOLS["rgb"].score(x, hr, scale=scale, luma_only=False) for x in (restored, spoilt)]
    assert same[0] == same[1]
    assert PROTOCOLS["rgb"].score(spoilt, hr, scale=scale - 1, luma_only=False)["psnr"] < same[0]["psnr"] - 1


def test_full_range_luma_of_the_whole_photo(images):
    """A difference of grey levels counts (255 / 219)² times as much as on Y, at the border, too."""
    restored, hr = (np.repeat(x[..., :1], 3, axis=-1) for x in images)
    full, reference = PROTOCOLS["y-full"].images(restored, hr, luma_only=False)
    np.testing.assert_allclose(full, np.floor(restored[..., :1] * 255 + 0.5) / 255, atol=1e-15)
    np.testing.assert_allclose(reference, hr[..., :1], atol=1e-15)
    full, narrow = (PROTOCOLS[name].score(restored, hr, scale=1, luma_only=False) for name in ("y-full", "y"))
    assert narrow["psnr"] - full["psnr"] == pytest.approx(20 * np.log10(255 / 219), abs=1e-3)
    spoilt = restored.copy()
    spoilt[:3] = 1
    assert PROTOCOLS["y-full"].score(spoilt, hr, scale=4, luma_only=False)["psnr"] < full["psnr"] - 1


def test_a_protocol_tells_all_its_parts():
    fields = dataclasses.asdict(PROTOCOLS["y8"])
    assert set(fields) == {"name", "channel", "rounding", "border", "resizer", "ssim"}
    assert all(fields.values())


def test_crops():
    image = np.arange(7 * 8).reshape(7, 8, 1)
    assert modcrop(image, 3).shape == (6, 6, 1)
    assert modcrop(image, 3)[0, 0, 0] == 0
    np.testing.assert_array_equal(shave(image, 2), image[2:5, 2:6])


def test_mistakes_are_named(images):
    with pytest.raises(UserError, match=r"\(40, 37, 3\) and \(40, 36, 3\)"):
        PROTOCOLS["y"].score(images[0], images[1][:, :-1], scale=2, luma_only=False)
