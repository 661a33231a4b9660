"""PSNR and SSIM against scikit-image; those of JAX arrays against those of NumPy arrays, with their gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from jaxsr.data.samples import sample_photos
from jaxsr.metrics import niqe, psnr, ssim
from jaxsr.support.errors import UserError

psnr_jit, ssim_jit = jax.jit(psnr), jax.jit(ssim)


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    hr = rng.integers(0, 256, (40, 37, 3)) / 255
    return np.clip(hr + rng.normal(0, 0.05, hr.shape), 0, 1), hr


@pytest.fixture(scope="module")
def photos():
    """Return a batch of parts of real photos (4, 96, 128, 3) and of what came of them: noise, rounding, blur, shift."""
    hr = np.stack([x[100:196, 60:188] for x in list(sample_photos("validation").values())[:2]] * 2) / np.float32(255)
    noise = np.random.default_rng(1).normal(0, 0.02, hr.shape[1:])
    restored = [
        hr[0] + noise,
        np.rint((hr[1] + 0.1 * noise) * 255) / 255,
        ndimage.gaussian_filter(hr[2], (1.2, 1.2, 0)),
        hr[3] + 1 / 255,
    ]
    return np.float32(np.clip(restored, 0, 1)), hr


def test_psnr_equals_scikit_image(images):
    assert psnr(*images) == pytest.approx(peak_signal_noise_ratio(images[1], images[0], data_range=1), abs=1e-10)


def test_psnr_of_one_level_off_everywhere():
    flat = np.full((8, 8, 1), 0.5)
    assert psnr(flat, flat + 1 / 255) == pytest.approx(48.1308, abs=1e-4)
    assert psnr(flat, flat) == float("inf") == psnr_jit(jnp.asarray(flat), flat)


def test_ssim_equals_scikit_image_over_the_valid_area(images):
    _, full = structural_similarity(
        *images, channel_axis=2, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert ssim(*images) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-10)


def test_ssim_of_equal_images_is_one(images):
    assert ssim(images[1], images[1]) == pytest.approx(1, abs=1e-12)
    assert ssim_jit(jnp.asarray(images[1]), images[1]) == pytest.approx(1, abs=1e-6)


def test_single_precision_on_real_photos(photos):
    """In float32, PSNR to 1e-6 of its value (a unit in the last place of 52 dB is 4e-6 dB), SSIM to 1e-6."""
    restored, hr = photos
    np.testing.assert_allclose(psnr_jit(jnp.asarray(restored), hr), psnr(restored, hr), rtol=1e-6)
    np.testing.assert_allclose(ssim_jit(jnp.asarray(restored), hr), ssim(restored, hr), rtol=0, atol=1e-6)


@pytest.mark.parametrize("contrast", [0.0, 1e-3])
def test_single_precision_where_variances_vanish(contrast):
    """A plain E[x²] - E[x]² would be off by 1e-4 here."""
    a, b = np.float32(0.9 + contrast * np.random.default_rng(2).random((2, 40, 40, 1)))
    assert ssim_jit(jnp.asarray(a), b) == pytest.approx(ssim(a, b), abs=1e-6)


def test_a_batch_is_scored_image_by_image(photos):
    restored, hr = photos
    for host, compiled in ((psnr, psnr_jit), (ssim, ssim_jit)):
        each = [host(a, b) for a, b in zip(restored, hr, strict=True)]
        np.testing.assert_array_equal(host(restored, hr), each)
        assert compiled(jnp.asarray(restored), hr).shape == (4,)
        np.testing.assert_allclose(jax.jit(jax.vmap(host))(restored, hr), each, rtol=1e-6)
        assert compiled(jnp.asarray(restored[0]), hr[0]).shape == ()


@pytest.mark.slow
def test_gradients_are_those_of_the_index(photos):
    """SSIM's derivative takes another way than its value: it must be that of finite differences all the same."""
    a, b = (jnp.asarray(x[0, :24, :20]) for x in photos)
    direction = jnp.asarray(np.random.default_rng(3).normal(size=a.shape), jnp.float32)
    for metric in (psnr, ssim):
        slope = jnp.sum(jax.jit(jax.grad(metric))(a, b) * direction)
        ahead, behind = (metric(*map(np.float64, (a + t * np.asarray(direction), b))) for t in (1e-4, -1e-4))
        assert slope == pytest.approx((ahead - behind) / 2e-4, rel=2e-3)
        forward = jax.jvp(lambda x, metric=metric: metric(x, b), (a,), (direction,))[1]
        assert forward == pytest.approx(float(slope), rel=1e-4)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_gradients_are_finite_on_flat_and_equal_images(metric, photos):
    gradient = jax.jit(jax.grad(lambda a, b: metric(a, b), argnums=(0, 1)))
    flat, photo = jnp.full((24, 20, 3), 0.5), jnp.asarray(photos[1][0, :24, :20])
    for a, b in ((flat, flat), (photo, photo), (flat, photo), (photo, 0 * flat)):
        assert all(jnp.isfinite(x).all() for x in gradient(a, b))
    assert not gradient(photo, photo)[0].any() or metric is ssim
    assert jnp.abs(gradient(photo, photo)[0]).max() < 1e-5


def test_mistakes_are_named(images):
    with pytest.raises(UserError, match=r"\(40, 37, 3\) and \(40, 36, 3\)"):
        psnr(images[0], images[1][:, :-1])
    with pytest.raises(UserError, match="at least 11x11"):
        ssim(images[0][:10], images[1][:10])
    with pytest.raises(UserError, match=r"images have the shape \(H, W, C\) or \(N, H, W, C\); got \(40, 37\)"):
        psnr_jit(images[0][..., 0], images[1][..., 0])
    with pytest.raises(UserError, match=r"images of shape \(0, 37, 3\) have no pixels"):
        psnr(images[0][:0], images[1][:0])


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_images_that_are_not_finite_are_not_equal(kind, images):
    broken = images[0].copy()
    broken[3, 4, 1] = np.nan
    assert np.isnan(psnr(kind(broken), kind(images[1]))) and np.isnan(ssim(kind(broken), kind(images[1])))


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_levels_are_not_taken_for_values(metric, kind, images):
    """Differences of uint8 wrap around: -9 dB instead of 39."""
    levels = kind((images[1] * 255).round().astype(np.uint8))
    for pair in ((levels, levels), (images[0], levels)):
        with pytest.raises(UserError, match=r"floats in \[0, 1\]; got uint8; divide by the level of white, 255"):
            metric(*pair)


@pytest.mark.parametrize("metric", [psnr, ssim, lambda a, b: niqe(b)])
def test_lists_and_texts_are_refused(metric, images):
    for other in (images[1].tolist(), "photo.png"):
        with pytest.raises(UserError, match="is of type (list|str), not an array of NumPy or JAX; make one of numbers"):
            metric(images[0], other)
