"""`jaxsr.restore`: kinds of photos in and out, systems by name with their options, what is refused."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageCms

import jaxsr
from jaxsr.api.restoring import RestoreKeywords
from jaxsr.imaging.resize import resize
from jaxsr.models.precision import to_dtype
from jaxsr.restoration.options import RestoreOptions
from jaxsr.support.errors import UserError
from tests.helpers.networks import network
from tests.helpers.photos import photo


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
    pixels[..., 3] |= 1  # nothing is transparent altogether
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
    assert result.info.get("icc_profile") == (profile if mode.startswith("RGB") else None)  # it does not fit grey
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
        (jnp.zeros((9, 9, 3)), r"cannot restore a JAX array; give np.asarray\(photo\), or call a model on a batch"),
        (np.zeros((2, 3, 4, 5)), r"a photo has shape \(H, W\) or \(H, W, 1 to 4\); got \(2, 3, 4, 5\)"),
        (np.zeros((0, 3)), "a photo has shape"),
        (np.zeros((20, 20), np.int32), "a photo is uint8, uint16 or float in .0, 1.; got int32; make float32 of it"),
        (np.zeros((20, 20), np.longdouble), "a photo is uint8, uint16 or float in .0, 1.; got float"),
        (np.ma.zeros((20, 20)), "a masked array lacks pixels; fill them"),
        (np.full((20, 20), 255.0), "float photos lie in .0, 1.; got .255, 255.; divide"),
        (np.full((20, 20), -0.01), r"got .-0.01, -0.01.; .* overshoot, clip them: np.clip\(photo, 0, 1\)"),
        (np.full((20, 20), np.nan), "a photo holds values that are not finite .NaN or infinity.; replace them"),
        (np.full((20, 20), np.inf), "not finite"),
        (Image.new("F", (9, 9)), "cannot take a PIL image of mode F; give its numbers as an array, uint16 or"),
        (Image.new("I", (9, 9)), "cannot take a PIL image of mode I; give its numbers as an array, uint16 or"),
        (Image.new("CMYK", (9, 9)), "cannot take a PIL image of mode CMYK; convert it"),
        ("/nowhere/photo.png", "/nowhere/photo.png: no such file"),
    ],
)
def test_mistakes_are_named(given, message, model):
    with pytest.raises(UserError, match=message):
        jaxsr.restore(given, model)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_weights_of_half_precision_restore_and_score(dtype, model, tmp_path):
    half = dataclasses.replace(model, variables=to_dtype(model.variables, dtype))
    whole = dataclasses.replace(model, variables=to_dtype(half.variables, np.float32))
    pixels = photo(40, 48)
    np.testing.assert_array_equal(jaxsr.restore(pixels, half), jaxsr.restore(pixels, whole))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert jaxsr.evaluate(half, tmp_path)["y8"].mean == jaxsr.evaluate(whole, tmp_path)["y8"].mean


def test_scales_and_tiles_of_numpy_are_numbers(model):
    pixels, two = photo(30, 24), np.int64(2)
    expected = jaxsr.restore(pixels, "espcn", scale=2, tile=16)
    np.testing.assert_array_equal(jaxsr.restore(pixels, "espcn", scale=two, tile=np.int32(16)), expected)
    assert jaxsr.create("espcn", scale=two, key=jax.random.key(0)).module.scale.bit_length() == 2


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_order_of_bytes_changes_nothing(dtype, model):
    """Scientific files are read as big-endian arrays."""
    pixels = photo(20, 24, dtype=np.uint16) if dtype == np.uint16 else np.float32(photo(20, 24) / 255)
    swapped = pixels.astype(np.dtype(dtype).newbyteorder())
    np.testing.assert_array_equal(jaxsr.restore(swapped, model), jaxsr.restore(pixels, model))


def test_a_matrix_is_a_grey_photo(model):
    grey = photo(20, 24)[..., 0]
    result = jaxsr.restore(grey.view(np.matrix), model)
    np.testing.assert_array_equal(result, jaxsr.restore(grey, model))


def test_a_contradicting_scale_is_refused(model):
    with pytest.raises(UserError, match="scale=3 was asked for, but espcn-x2 enlarges 2 times"):
        jaxsr.restore(photo(20, 20), model, scale=3)


def test_keywords_are_the_fields_of_the_options(model):
    assert set(RestoreKeywords.__annotations__) == {field.name for field in dataclasses.fields(RestoreOptions)}
    pixels, options = photo(20, 24), RestoreOptions(ensemble=True, tile=32)
    expected = jaxsr.restore(pixels, model, ensemble=True, tile=None)
    np.testing.assert_allclose(np.int32(jaxsr.restore(pixels, model, options=options)), expected, atol=1)
    plain = jaxsr.restore(pixels, model, options=options, ensemble=False)
    np.testing.assert_allclose(np.int32(plain), jaxsr.restore(pixels, model), atol=1)
    assert (plain != expected).any()


def test_unquantized_photos_have_float_alpha(model):
    result = jaxsr.restore(photo(20, 24, 4), model, quantize=False)
    assert result.dtype == np.float32 and result.shape == (40, 48, 4) and np.abs(result[..., 3]).max() < 2
    with pytest.raises(UserError, match="quantize=False gives floats, which a PIL image does not hold"):
        jaxsr.restore(Image.fromarray(photo(20, 24)), model, quantize=False)


def test_progress_counts_tiles(model):
    calls = []
    jaxsr.restore(photo(60, 60), model, tile=32, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 9) for done in range(1, 10)]


@pytest.mark.slow
def test_zssr_by_name():
    """Alpha and the photo's depth stay; progress counts the training steps."""
    pixels, calls = photo(40, 44, 4), []
    result = jaxsr.restore(pixels, "zssr,steps=2", progress=lambda done, total: calls.append((done, total)))
    assert result.shape == (80, 88, 4) and result.dtype == np.uint8 and calls[-1] == (2, 2)
    np.testing.assert_array_equal(result, jaxsr.restore(pixels, "zssr,steps=2"))
    exact = jaxsr.restore(pixels, "zssr,steps=2", quantize=False)
    np.testing.assert_allclose(result[..., :3], np.clip(exact[..., :3], 0, 1) * 255, atol=0.51)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fsrcnn", {"tiel": 3}, "unknown option 'tiel'; did you mean 'tile'?"),
        ("fsrcnn", {"options": {}}, "options={} is not a RestoreOptions; or give its fields"),
        ("fsrcnn", {"ensemble": 1}, "ensemble=1 is neither True nor False"),
        ("fsrcnn", {"all_rounds": True}, "fsrcnn-x2 takes no all_rounds; leave it out, or use danv1 or danv2"),
        ("fsrcnn,rounds=4", {}, "unknown option of fsrcnn-x2 'rounds'"),
        ("fsrcnn,mapping_layers=9", {}, "the weights of fsrcnn,mapping_layers=9 do not fit the network"),
        ("fsrcnn,4", {}, "'4' is not option=value; write both, as in zssr,steps=300"),
        ("zssr,step=300", {}, "unknown option of zssr 'step'; did you mean 'steps'?"),
        ("zssr,steps=many", {}, "steps='many' is not a whole number"),
        ("zssr", {"tile": 64}, "zssr takes no tile; leave it out"),
        ("zssr", {"scale": 5}, "scale"),
        ("kernelgan", {}, "kernelgan"),
    ],
)
def test_wrong_models_and_options_are_named(name, options, message):
    with pytest.raises(UserError, match=message):
        jaxsr.restore(photo(20, 20), name, **options)
