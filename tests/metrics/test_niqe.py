"""NIQE in JAX against the published figure, and against a slow version in NumPy."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

import jaxsr
from jaxsr.data.images import read_pixels
from jaxsr.data.samples import sample_photos
from jaxsr.imaging.color import luma, round_to_levels
from jaxsr.metrics import niqe
from jaxsr.support.errors import UserError
from tests.reference import niqe as reference


@pytest.fixture(scope="module")
def parameters():
    with np.load(Path(jaxsr.__file__).parent / "metrics" / "niqe.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def photos():
    """Return parts of a photo (3, 200, 300, 3) in [0, 1]: as it is, blurred, and with noise."""
    photo = next(iter(sample_photos("validation").values()))[:200, :300] / 255
    noise = np.random.default_rng(0).normal(0, 0.05, photo.shape)
    return np.clip([photo, ndimage.gaussian_filter(photo, (1.5, 1.5, 0)), photo + noise], 0, 1)


def slow_niqe(photo, parameters):
    return reference.niqe(round_to_levels(luma(photo))[..., 0] * 255, parameters)


def test_the_slow_version(photos, parameters):
    """Six blocks of each photo; where there is little left of its texture, NIQE is higher."""
    scores = niqe(photos)
    np.testing.assert_allclose(scores, [slow_niqe(x, parameters) for x in photos], rtol=0, atol=2e-3)
    assert scores.shape == (3,) and scores[1] > scores[0] + 1


def test_kinds_of_arrays(photos):
    on_device = niqe(jnp.asarray(photos, jnp.float32))
    assert isinstance(on_device, jax.Array) and on_device.shape == (3,)
    np.testing.assert_allclose(on_device, niqe(photos), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_one_photo_grey_photos_and_compiling(photos):
    grey = luma(photos)
    assert isinstance(niqe(grey[0]), float) and niqe(grey[0]) == pytest.approx(niqe(photos)[0], abs=1e-3)
    compiled = jax.jit(niqe)(jnp.asarray(photos, jnp.float32))
    np.testing.assert_allclose(compiled, niqe(photos), rtol=0, atol=1e-3)


@pytest.mark.slow
@pytest.mark.shared
def test_the_published_figure(shared, parameters):
    """MATLAB R2021a gives 5.72957338 for baboon, with the release's parameters."""
    baboon = read_pixels(shared / "data" / "test" / "Set14" / "hr" / "baboon.png") / 255
    assert slow_niqe(baboon, parameters) == pytest.approx(5.72957, abs=1e-5)
    assert niqe(baboon) == pytest.approx(5.7296, abs=1e-3)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", ["bird", "head"])
def test_photos_with_flat_areas(shared, parameters, name):
    photo = read_pixels(shared / "data" / "test" / "Set5" / "hr" / f"{name}.png") / 255
    assert niqe(photo) == pytest.approx(slow_niqe(photo, parameters), abs=6e-3)


def test_flat_photos_have_no_figure(photos):
    """Nor do rows of flat blocks count for the covariance of the others."""
    partly = np.array(photos)
    partly[0], partly[1, :100] = 0.3, 0.7
    np.testing.assert_array_equal(np.isnan(niqe(partly)), [True, False, False])


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((95, 500, 3), "500x95 pixels are too small for NIQE, which needs 2 blocks of 96x96"),
        ((96, 191, 1), "191x96 pixels are too small"),
        ((2, 200, 200), "images have the shape"),
        ((200, 200), "images have the shape"),
    ],
)
def test_mistakes(shape, message):
    with pytest.raises(UserError, match=message):
        niqe(np.zeros(shape))


def test_no_photos_have_no_figures():
    assert niqe(np.zeros((0, 192, 192, 3))).shape == (0,)


def test_levels_are_not_taken_for_values():
    with pytest.raises(UserError, match=r"floats in \[0, 1\]; got uint8"):
        niqe(np.zeros((192, 192, 3), np.uint8))
