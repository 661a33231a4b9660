"""MATLAB's bicubic: against the slow version, against published files, and its derivative."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsr.imaging.patches import modcrop
from jaxsr.imaging.resize import output_size, resize, resize_matrix
from jaxsr.support.errors import UserError
from tests.reference import resize as reference


@pytest.mark.parametrize("scale", [1 / 4, 1 / 3, 1 / 2, 0.7, 1.5, 2, 3, 4])
@pytest.mark.parametrize("border", ["symmetric", "clamp"])
def test_equals_the_slow_version(scale, border):
    image = np.random.default_rng(0).random((13, 17))
    got = resize(image[..., None], scale, border=border)[..., 0]
    np.testing.assert_allclose(got, reference.resize(image, scale, border), atol=1e-12)


@pytest.mark.parametrize("scale", [1 / 2, 2])
def test_stages_round_half_up_after_each_pass(scale):
    image = np.random.default_rng(1).integers(0, 256, (14, 12)) / 255
    got = resize(image[..., None], scale, border="clamp", uint8_stages=True)[..., 0]
    np.testing.assert_array_equal(got, reference.resize(image, scale, "clamp", uint8_stages=True))


def test_stages_begin_with_the_dimension_that_shrinks_most():
    """So that a photo on its side becomes the result on its side; rounding between the passes tells the order."""
    image = np.random.default_rng(5).integers(0, 256, (24, 30, 1)) / 255
    got = resize(image, size=(12, 10), uint8_stages=True)
    on_its_side = resize(image.transpose(1, 0, 2), size=(10, 12), uint8_stages=True)
    np.testing.assert_array_equal(on_its_side, got.transpose(1, 0, 2))
    columns_first = resize(resize(image, size=(24, 10), uint8_stages=True), size=(12, 10), uint8_stages=True)
    rows_first = resize(resize(image, size=(12, 30), uint8_stages=True), size=(12, 10), uint8_stages=True)
    np.testing.assert_array_equal(got, columns_first)
    assert (got != rows_first).any()


def test_jax_equals_numpy_under_jit_and_batched():
    images = np.random.default_rng(2).random((2, 12, 15, 3))
    got = jax.jit(lambda x: resize(x, 1 / 3))(jnp.asarray(images, jnp.float32))
    np.testing.assert_allclose(got, resize(images, 1 / 3), atol=1e-6)


def test_jax_stages_equal_numpy_stages():
    image = np.random.default_rng(3).integers(0, 256, (24, 24, 1)) / 255
    got = resize(jnp.asarray(image, jnp.float32), 1 / 2, uint8_stages=True)
    np.testing.assert_allclose(got, resize(image, 1 / 2, uint8_stages=True), atol=1e-6)


def test_a_ramp_keeps_its_place():
    """Pixel j of the small image stands at the centre of its block: a shift would show as an offset."""
    ramp = np.tile(np.arange(64.0)[:, None, None], (1, 64, 1))
    small = resize(ramp, 1 / 4)
    np.testing.assert_allclose(small[4:-4, 8, 0], 4 * np.arange(4, 12) + 1.5, atol=1e-9)
    np.testing.assert_allclose(resize(small, 4)[24:-24, 8, 0], ramp[24:-24, 8, 0], atol=1e-9)


def test_gradient_is_the_transposed_matrix():
    weights = jnp.asarray(np.random.default_rng(4).random((4, 4, 1)), jnp.float32)
    gradient = jax.grad(lambda x: jnp.sum(weights * resize(x, 1 / 2)))(jnp.zeros((8, 8, 1)))
    matrix = resize_matrix(8, 4, 0.5)
    np.testing.assert_allclose(gradient[..., 0], matrix.T @ np.asarray(weights[..., 0]) @ matrix, atol=1e-6)


def test_rows_of_a_matrix_sum_to_one():
    np.testing.assert_allclose(resize_matrix(50, 17, 1 / 3).sum(axis=1), 1, atol=1e-12)


def test_size_is_rounded_up_and_safe_for_thirds():
    assert [output_size(n, 1 / 3) for n in (255, 256, 3)] == [85, 86, 1]
    assert resize(np.zeros((7, 9, 1)), 1 / 2).shape == (4, 5, 1)


def test_size_in_place_of_scale():
    image = np.random.default_rng(5).random((8, 12, 1))
    np.testing.assert_array_equal(resize(image, size=(16, 24)), resize(image, 2))


def test_mistakes_are_named():
    with pytest.raises(UserError, match="one of scale and size"):
        resize(np.zeros((4, 4, 1)))
    with pytest.raises(UserError, match="unknown border 'wrap'"):
        resize(np.zeros((4, 4, 1)), 2, border="wrap")
    for wrong in ({"scale": 0}, {"scale": -1}, {"scale": np.nan}, {"scale": np.inf}, {"size": (0, 4)}):
        with pytest.raises(
            UserError, match="resize takes pixels to pixels; got s.* and a photo of 4x5; use more than 0"
        ):
            resize(np.zeros((4, 5, 1)), **wrong)
    with pytest.raises(UserError, match=r"got \(4, 4\); give a grey one as image\[..., None\]"):
        resize(np.zeros((4, 4)), 2)
    with pytest.raises(UserError, match="image is of type list, not an array of NumPy or JAX"):
        resize([[[0.5]]], 2)
    said = "uint8_stages takes floats in .0, 1.; got uint8; divide by the level of white, 255"
    with pytest.raises(UserError, match=said):
        resize(np.full((4, 4, 1), 200, np.uint8), 2, uint8_stages=True)


def test_levels_on_the_device_are_refused():
    """Weights as whole numbers would be zeros and ones."""
    with pytest.raises(UserError, match="resized as floats; got uint8; divide by the level of white, 255"):
        resize(jnp.zeros((4, 4, 1), jnp.uint8), 2)


@pytest.mark.shared
@pytest.mark.parametrize("data", ["Set5", "Set14"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_published_files_bit_for_bit(shared, data, scale):
    folder = shared / "data" / "test" / data
    hr, lr = (sorted((folder / name).iterdir()) for name in ("hr", f"lr_x{scale}"))
    assert len(hr) == len(lr) > 0
    for sharp, small in zip(hr, lr, strict=True):
        image = np.atleast_3d(np.asarray(Image.open(sharp)))
        made = resize(modcrop(image, scale) / 255, 1 / scale, border="clamp", uint8_stages=True)
        np.testing.assert_array_equal(np.rint(made * 255), np.atleast_3d(np.asarray(Image.open(small))))
