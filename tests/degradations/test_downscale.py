"""The reduction by a kernel and its correction, against the reference implementation, SciPy and MATLAB's bicubic."""

import functools

import jax
import numpy as np
import pytest

from jaxsr.degradations.centering import centre_of_mass, kernel_centre
from jaxsr.degradations.downscale import back_project, downscale, fitted_kernel, ideal_kernel
from jaxsr.degradations.kernels import anisotropic_kernels
from jaxsr.imaging.resize import resize
from tests.reference import zssr as reference

RNG = np.random.default_rng(2)


@functools.cache
def slanted(size: int = 11) -> np.ndarray:
    """Return a kernel (size, size) that is neither symmetric nor centred."""
    kernel = np.asarray(anisotropic_kernels(np.array([[2.0, 0.8]]), np.array([0.6]), size))[0] + 0.002
    kernel = np.roll(kernel, 1, axis=1) * np.linspace(0.5, 1, size)
    return kernel / kernel.sum()


def reduced(images, kernels, scale):
    """Return the small photos, compiled."""
    return jax.jit(downscale, static_argnums=2)(np.float32(images), np.float32(kernels), scale)


@pytest.mark.shared
def test_golden_file(shared):
    with np.load(shared / "golden" / "zssr_downscale.npz") as file:
        data = dict(file)
    image = data["in/image"][None]
    plain = reduced(image, data["in/kernel"][None], 2)[0]
    assert np.abs(plain - data["out/lr_no_shift"]).max() <= 1e-5 * np.abs(data["out/lr_no_shift"]).max()
    shifted = reduced(image, data["out/shifted_kernel"][None], 2)[0]
    assert np.abs(shifted - data["out/lr_shifted"]).max() <= 1e-5 * np.abs(data["out/lr_shifted"]).max()
    kernel = data["out/shifted_kernel"] / data["out/shifted_kernel"].sum()
    np.testing.assert_allclose(fitted_kernel(data["in/kernel"], 2), kernel, atol=1e-6 * kernel.max())


@pytest.mark.parametrize(
    ("shape", "scale", "size"), [((12, 17), 2, 11), ((15, 9), 2, 4), ((13, 14), 3, 5), ((21, 11), 4, 11)]
)
def test_each_photo_has_its_own_kernel(shape, scale, size):
    """Also where the scale does not divide the sides."""
    images, kernels = RNG.random((2, *shape, 3)), np.stack([slanted(size), slanted(size).T])
    expected = [reference.downscale(image, kernel, scale) for image, kernel in zip(images, kernels, strict=True)]
    np.testing.assert_allclose(reduced(images, kernels, scale), expected, atol=2e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_ideal_kernel_is_bicubic(scale):
    image, kernel = RNG.random((1, 12 * scale, 9 * scale, 3)), ideal_kernel(scale)
    np.testing.assert_allclose(reduced(image, kernel[None], scale), resize(image, 1 / scale), atol=2e-6)
    np.testing.assert_allclose(centre_of_mass(kernel), kernel_centre(len(kernel), scale))


@pytest.mark.parametrize("size", [11, 8])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_ramp_stays_aligned_with_its_blocks(scale, size):
    """Whatever the kernel's own centre and frame."""
    kernel = fitted_kernel(slanted(size), scale)
    assert len(kernel) % 2 == 1
    np.testing.assert_allclose(kernel.sum(), 1)
    ramp = np.add.outer(np.arange(60.0), 2 * np.arange(60.0))[None, ..., None] / 200
    inside = slice(16 // scale + 1, -16 // scale - 1)
    small = reduced(ramp, kernel[None], scale)[:, inside, inside]
    np.testing.assert_allclose(small, resize(ramp, 1 / scale)[:, inside, inside], atol=0.01 / 200)


@pytest.mark.parametrize("scale", [2, 3])
def test_back_projection(scale):
    small, image = RNG.random((2, 6, 7, 3)), RNG.random((2, 6 * scale, 7 * scale, 3))
    kernels = np.stack([slanted(), slanted().T])
    run = jax.jit(back_project, static_argnames=("scale", "rounds"))
    corrected = run(*map(np.float32, (image, small, kernels)), scale=scale, rounds=2)
    expected = [reference.back_project(*each, scale, 2) for each in zip(image, small, kernels, strict=True)]
    np.testing.assert_allclose(corrected, expected, atol=2e-5)


def test_back_projection_reduces_what_the_reduction_differs_by():
    sharp, kernel = resize(RNG.random((1, 8, 8, 1)), 4), fitted_kernel(slanted(5), 2)[None]
    small = reduced(sharp, kernel, 2)
    images = [back_project(resize(small, 2), small, np.float32(kernel), 2, rounds=rounds) for rounds in (0, 2, 4)]
    errors = [np.abs(reduced(image, kernel, 2) - small).mean() for image in images]
    assert errors[2] < errors[1] / 2 < errors[0] / 4
