"""Kinds of photos in and out."""

import numpy as np
import pytest
from PIL import Image, ImageCms

import jaxsr
from jaxsr.imaging.resize import resize
from jaxsr.support.errors import UserError
from tests.restoration.tiles.test_tiled_run import network, photo


@pytest.fixture(scope="module")
def model():
    return network("espcn", 2)


@pytest.mark.parametrize("shape", [(20, 24), (20, 24, 1), (20, 24, 2), (20, 24, 3), (20, 24, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_arrays(shape, dtype, model):
    pixels = photo(20, 24, shape[2] if len(shape) > 2 else 1, dtype).reshape(shape)
    result = jaxsr.restore(pixels, model)
    assert result.shape == (40, 48, *shape[2:]) and result.dtype == dtype


def test_alpha_is_enlarged_by_bicubic(model):
    pixels = photo(20, 24, 4)
    result = jaxsr.restore(pixels, model)
    expected = np.clip(resize(pixels[..., 3:] / 255, 2), 0, 1) * 255
    np.testing.assert_allclose(result[..., 3:], expected, atol=0.51)
    np.testing.assert_array_equal(result[..., :3], jaxsr.restore(pixels[..., :3], model))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_pil_images(mode, model):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = (
        Image.fromarray(photo(20, 24, dtype=np.uint16, channels=1)[..., 0])
        if mode == "I;16"
        else Image.fromarray(photo(20, 24)).convert(mode)
    )
    image.info["icc_profile"] = profile
    result = jaxsr.restore(image, model)
    assert isinstance(result, Image.Image) and result.mode == mode and result.size == (48, 40)
    assert result.info["icc_profile"] == profile
    np.testing.assert_array_equal(np.asarray(result), jaxsr.restore(np.asarray(image), model))


def test_paths_and_names(tmp_path):
    pixels = photo(20, 24)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    result = jaxsr.restore(tmp_path / "photo.png", "bicubic", scale=3)
    np.testing.assert_array_equal(result, jaxsr.restore(pixels, jaxsr.load("bicubic-x3")))
    expected = np.clip(resize(pixels / 255, 3), 0, 1) * 255
    np.testing.assert_allclose(result, expected, atol=0.51)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2], "cannot restore a list; give a NumPy array, a PIL image or a path"),
        (np.zeros((2, 3, 4, 5)), r"a photo has shape \(H, W\) or \(H, W, 1 to 4\); got \(2, 3, 4, 5\)"),
        (np.zeros((0, 3)), "a photo has shape"),
        (np.zeros((20, 20), np.int32), "a photo is uint8, uint16 or float in .0, 1.; got int32"),
        (np.full((20, 20), 255.0), "float photos lie in .0, 1.; got .255, 255.; divide"),
        (np.full((20, 20), np.nan), "float photos lie in"),
        (Image.new("CMYK", (9, 9)), "cannot restore a PIL image of mode CMYK; convert it"),
        ("/nowhere/photo.png", "/nowhere/photo.png: no such file"),
    ],
)
def test_mistakes_are_named(given, message, model):
    with pytest.raises(UserError, match=message):
        jaxsr.restore(given, model)


def test_a_contradicting_scale_is_refused(model):
    with pytest.raises(UserError, match="scale=3 was asked for, but espcn-x2 enlarges 2 times"):
        jaxsr.restore(photo(20, 20), model, scale=3)
