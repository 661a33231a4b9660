"""Blur and degradation against the reference implementation, SciPy and each other's steps."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import correlate

from jaxsr.degradations.blurring import blur, degrade
from jaxsr.degradations.kernels import delta_kernel, isotropic_kernels
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.resize import resize
from jaxsr.support.errors import UserError

RNG = np.random.default_rng(4)
KEY = jax.random.key(1)


def degraded(hr, kernels, scale, **options):
    """Return the small photos, compiled."""
    return jax.jit(lambda hr, kernels: degrade(KEY, hr, kernels, scale, **options))(hr, kernels)


@pytest.mark.shared
def test_golden_file(shared):
    with np.load(shared / "golden" / "dan_blur.npz") as data:
        blurred = jax.jit(blur)(data["in/x"].transpose(0, 2, 3, 1), data["in/kernel"])
        expected = data["out/blurred"].transpose(0, 2, 3, 1)
    assert np.abs(blurred - expected).max() <= 2e-6 * np.abs(expected).max()


@pytest.mark.parametrize(("size", "shape"), [(5, (13, 10)), (4, (9, 9)), (1, (3, 5)), (11, (6, 17))])
def test_each_photo_has_its_own_kernel(size, shape):
    """SciPy's "mirror" does not repeat the edge; its centre too is k // 2."""
    images, kernels = (RNG.random(s).astype(np.float32) for s in ((3, *shape, 2), (3, size, size)))
    blurred = jax.jit(blur)(images, kernels / kernels.sum(axis=(1, 2), keepdims=True))
    for i, kernel in enumerate(kernels.astype(np.float64)):
        for channel in range(2):
            expected = correlate(images[i, ..., channel].astype(np.float64), kernel / kernel.sum(), mode="mirror")
            np.testing.assert_allclose(blurred[i, ..., channel], expected, atol=2e-6)


@pytest.mark.parametrize("size", [4, 5])
def test_valid_positions_are_the_middle(size):
    images, kernels = (RNG.random(s).astype(np.float32) for s in ((2, 13, 12, 2), (2, size, size)))
    whole = jax.jit(blur)(images, kernels)
    valid = jax.jit(functools.partial(blur, border="valid"))(images, kernels)
    assert valid.shape == (2, 14 - size, 13 - size, 2)
    start = size // 2
    np.testing.assert_allclose(valid, whole[:, start : start + 14 - size, start : start + 13 - size], atol=2e-5)


def test_gradients_are_finite_and_the_adjoint():
    """<blur(x), y> is linear in x and in the kernel: its gradients give it back."""
    x, y, kernels = (jnp.asarray(RNG.random(s), jnp.float32) for s in ((2, 8, 9, 1), (2, 8, 9, 1), (2, 3, 3)))
    value, gradients = jax.jit(jax.value_and_grad(lambda x, k: jnp.sum(blur(x, k) * y), argnums=(0, 1)))(x, kernels)
    for gradient, argument in zip(gradients, (x, kernels), strict=True):
        np.testing.assert_allclose(jnp.sum(gradient * argument), value, rtol=1e-5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_ramp_does_not_move(scale):
    """Blurred by a symmetric kernel and reduced, it is what it is without the blur."""
    ramp = np.linspace(0, 1, 60 * 60, dtype=np.float32).reshape(1, 60, 60, 1)
    small = degraded(ramp, isotropic_kernels(jnp.float32([1.5]), 9), scale, quantize=False)
    border = 2 + 4 // scale + 1  # of the reflection, which bends a ramp
    inside = slice(border, -border)
    np.testing.assert_allclose(small[:, inside, inside], resize(ramp, 1 / scale)[:, inside, inside], atol=2e-5)


def test_steps_of_a_degradation():
    hr, delta = RNG.random((2, 24, 24, 3)).astype(np.float32), np.stack([delta_kernel(5)] * 2)
    bicubic = resize(hr, 1 / 2)
    np.testing.assert_allclose(degraded(hr, delta, 2, quantize=False), bicubic, atol=2e-6)
    strided = degraded(hr, delta, 3, reduction="strided", quantize=False)
    np.testing.assert_allclose(strided, hr[:, ::3, ::3], atol=2e-6)
    quantized = np.asarray(degraded(hr, delta, 2))
    assert np.abs(quantized - round_to_levels(bicubic)).max() <= 1.01 / 255
    assert (np.abs(quantized - round_to_levels(bicubic)) < 1e-6).mean() > 0.99  # else half way between two levels
    noise = np.asarray(degraded(np.full((2, 64, 64, 3), 0.5, np.float32), delta, 2, noise=0.05, quantize=False)) - 0.5
    assert abs(noise.std() - 0.05) < 0.002 and abs(noise.mean()) < 0.002


def test_mistakes_are_named():
    with pytest.raises(UserError, match="unknown reduction 'stride'; did you mean 'strided'"):
        degrade(KEY, jnp.zeros((1, 8, 8, 1)), delta_kernel(3)[None], 2, reduction="stride")


@pytest.mark.parametrize(
    ("kernels", "options", "message"),
    [
        (np.ones((3, 3)), {}, r"2 photos are blurred by as many square kernels .*; got \(3, 3\); .* as kernel\[None\]"),
        (np.ones((2, 3, 5)), {}, r"got \(2, 3, 5\)"),
        (np.ones((3, 3, 3)), {}, r"got \(3, 3, 3\)"),
        (np.ones((2, 0, 0)), {}, r"got \(2, 0, 0\)"),
        (np.ones((2, 3, 3)), {"border": "wrap"}, "unknown border 'wrap'; choose one of: reflect, symmetric, valid"),
        (np.ones((2, 9, 9)), {"border": "valid"}, "no place that a kernel of 9 pixels fits in"),
    ],
)
def test_kernels_that_do_not_fit_are_named(kernels, options, message):
    with pytest.raises(UserError, match=message):
        blur(jnp.zeros((2, 8, 8, 1)), kernels, **options)
    with pytest.raises(UserError, match=r"shape \(N, H, W, C\); got \(8, 8, 1\); give a single one as photo\[None\]"):
        blur(jnp.zeros((8, 8, 1)), delta_kernel(3)[None])


@pytest.mark.parametrize("images", [None, "photo.png", [[[[0.5]]]]])
def test_what_is_no_array_is_named(images):
    with pytest.raises(UserError, match="images is of type .*, not an array of NumPy or JAX"):
        blur(images, np.ones((1, 3, 3)))


def test_photos_without_pixels_are_refused():
    with pytest.raises(UserError, match=r"photos of shape \(1, 0, 4, 3\) have no pixels"):
        blur(np.zeros((1, 0, 4, 3)), np.ones((1, 3, 3)))


def test_half_precision_is_blurred_in_single():
    images, kernels = jnp.zeros((2, 8, 8, 1), jnp.bfloat16), jnp.ones((2, 2, 2), jnp.float16)
    assert jax.eval_shape(blur, images, kernels).dtype == jnp.float32
