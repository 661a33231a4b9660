"""PSNR and SSIM against scikit-image, and what each protocol compares."""

import dataclasses

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from jaxsr.imaging.color import luma
from jaxsr.imaging.patches import modcrop, shave
from jaxsr.metrics.protocols import PROTOCOLS, psnr, ssim
from jaxsr.support.errors import UserError


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (40, 37, 3)) / 255
    return np.clip(truth + rng.normal(0, 0.05, truth.shape), 0, 1), truth


def test_psnr_equals_scikit_image(images):
    assert psnr(*images) == pytest.approx(peak_signal_noise_ratio(images[1], images[0], data_range=1), abs=1e-10)


def test_psnr_of_one_level_off_everywhere():
    flat = np.full((8, 8, 1), 0.5)
    assert psnr(flat, flat + 1 / 255) == pytest.approx(48.1308, abs=1e-4)
    assert psnr(flat, flat) == float("inf")


def test_ssim_equals_scikit_image_over_the_valid_area(images):
    _, full = structural_similarity(
        *images, channel_axis=2, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert ssim(*images) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-10)


def test_ssim_of_equal_images_is_one(images):
    assert ssim(images[1], images[1]) == pytest.approx(1, abs=1e-12)


def test_protocols_round_what_they_say(images):
    restored, truth = images
    y8, reference = PROTOCOLS["y8"].images(restored, truth, luma_only=True)
    np.testing.assert_array_equal(y8, np.floor(luma(restored) * 255 + 0.5) / 255)
    np.testing.assert_array_equal(reference, np.floor(luma(truth) * 255 + 0.5) / 255)
    y, reference = PROTOCOLS["y"].images(restored, truth, luma_only=True)
    np.testing.assert_allclose(y, luma(np.floor(restored * 255 + 0.5) / 255), atol=1e-15)
    np.testing.assert_allclose(reference, luma(truth), atol=1e-15)
    rgb, reference = PROTOCOLS["rgb"].images(restored, truth, luma_only=False)
    np.testing.assert_array_equal(rgb, np.floor(restored * 255 + 0.5) / 255)
    assert reference is truth


def test_score_cuts_scale_pixels(images):
    restored, truth = images
    spoilt = restored.copy()
    spoilt[:3], spoilt[:, -3:] = 0, 1
    same = [PROTOCOLS["rgb"].score(x, truth, scale=3, luma_only=False) for x in (restored, spoilt)]
    assert same[0] == same[1]
    assert PROTOCOLS["rgb"].score(spoilt, truth, scale=2, luma_only=False)["psnr"] < same[0]["psnr"] - 1


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
        psnr(images[0], images[1][:, :-1])
    with pytest.raises(UserError, match="at least 11x11"):
        ssim(images[0][:10], images[1][:10])
