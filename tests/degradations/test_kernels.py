"""Blur kernels against their formulas written slowly, the reference implementation, and the published bases."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.degradations.kernels import (
    ANISOTROPIC_WIDTHS,
    GAUSSIAN8_IKC_WIDTHS,
    ISOTROPIC_WIDTHS,
    PCA_WIDTHS,
    anisotropic_kernels,
    applied_twice,
    delta_kernel,
    draw_anisotropic,
    draw_div2krk,
    draw_isotropic,
    gaussian8_kernels,
    isotropic_kernels,
    of_scale,
    pca_basis,
    with_noise,
)
from jaxsr.support.errors import UserError
from jaxsr.weights.bases import load_basis

KEY = jax.random.key(3)
isotropic = jax.jit(draw_isotropic, static_argnames=("count", "size", "widths"))
anisotropic = jax.jit(draw_anisotropic, static_argnames=("count", "size", "widths", "noise"))
basis_of = jax.jit(pca_basis, static_argnums=1)


def slow_kernel(widths, angle, size):
    """Return exp(-zᵀ D⁻¹ z / 2), D by its two axes, one pixel after the other."""
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    inverse = np.linalg.inv(axes @ np.diag(np.square(widths)) @ axes.T)
    kernel = np.zeros((size, size))
    for row, column in np.ndindex(size, size):
        z = np.array([column, row]) - size // 2
        kernel[row, column] = np.exp(-z @ inverse @ z / 2)
    return kernel / kernel.sum()


@pytest.mark.shared
def test_golden_file(shared):
    with np.load(shared / "golden" / "gaussian_kernels_iso.npz") as data:
        kernels = jax.jit(isotropic_kernels, static_argnums=1)(jnp.asarray(data["in/sigma"], jnp.float32), 21)
        assert np.abs(kernels - data["out/kernel"]).max() <= 1e-6 * data["out/kernel"].max()


@pytest.mark.parametrize("size", [11, 8])
def test_anisotropic_kernels_are_the_formula(size):
    widths, angles = np.float32([[0.6, 5], [2, 1], [3, 3]]), np.float32([0.4, -2, 1])
    expected = np.stack([slow_kernel(w, a, size) for w, a in zip(widths, angles, strict=True)])
    kernels = jax.jit(anisotropic_kernels, static_argnums=2)(widths, angles, size)
    np.testing.assert_allclose(kernels, expected, atol=1e-6)
    isotropic_of_3 = jax.jit(isotropic_kernels, static_argnums=1)(np.float32([3]), size)[0]
    np.testing.assert_allclose(kernels[2], isotropic_of_3, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_gaussian8_kernels(scale):
    first, last = {2: (0.8, 1.6), 3: (1.35, 2.4), 4: (1.8, 3.2)}[scale]
    expected = [slow_kernel([width, width], 0, 21) for width in np.linspace(first, last, 8)]
    np.testing.assert_allclose(gaussian8_kernels(scale), expected, atol=1e-6)


def test_the_narrowest_kernel_of_ikc_at_x2_is_another():
    expected = [slow_kernel([width, width], 0, 21) for width in (0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6)]
    np.testing.assert_allclose(gaussian8_kernels(2, widths=GAUSSIAN8_IKC_WIDTHS), expected, atol=1e-6)
    for scale in (3, 4):
        np.testing.assert_array_equal(gaussian8_kernels(scale, widths=GAUSSIAN8_IKC_WIDTHS), gaussian8_kernels(scale))


def test_draws_keep_to_their_widths():
    """The width is read off two neighbouring pixels: log k(0) - log k(1) = 1 / 2σ²."""
    low, high = of_scale(ISOTROPIC_WIDTHS, 3)
    kernels = np.asarray(isotropic(KEY, 500, widths=(1.0, high)))
    widths = (2 * np.log(kernels[:, 10, 10] / kernels[:, 10, 11])) ** -0.5
    assert low < 1 <= widths.min() < 1.1 and 2.9 < widths.max() <= high
    np.testing.assert_allclose(kernels.sum(axis=(1, 2)), 1, rtol=1e-5)
    clean = np.asarray(anisotropic(KEY, 500, size=11, noise=0.0))
    inverse = -2 * np.log(clean[:, [5, 6], [6, 5]] / clean[:, 5, 5, None])  # the diagonal of D⁻¹
    assert (inverse >= ANISOTROPIC_WIDTHS[1] ** -2 * 0.99).all() and (
        inverse <= ANISOTROPIC_WIDTHS[0] ** -2 * 1.01
    ).all()
    assert np.abs(inverse[:, 0] - inverse[:, 1]).max() > 1


def test_noise_multiplies_each_pixel():
    clean = jnp.ones((200, 11, 11)) / 121
    noisy = np.asarray(with_noise(KEY, clean, 0.25))
    np.testing.assert_allclose(noisy.sum(axis=(1, 2)), 1, rtol=1e-5)
    ratio = noisy.max(axis=(1, 2)) / noisy.min(axis=(1, 2))
    assert ratio.min() > 1.2 and ratio.max() <= 1.25 + 1e-5
    np.testing.assert_allclose(with_noise(KEY, clean, 0.0), clean, rtol=1e-5)


def test_variances_of_div2krk_are_from_its_range():
    """They are read off the kernels: noise changes them a little, and the frame cuts the widest."""
    variances = []
    for key in jax.random.split(KEY, 60):
        kernel = np.asarray(draw_div2krk(key, 2), np.float64)
        offsets = np.mgrid[:11, :11].reshape(2, -1) - 5
        variances += [*np.linalg.eigvalsh(np.cov(offsets, aweights=kernel.ravel(), bias=True))]
    assert 0.5 < min(variances) < 1 and 4 < max(variances) < 5.5 and abs(np.median(variances) - 2.8) < 0.5


def test_div2krk_at_x4_is_its_kernel_of_x2_applied_twice():
    twice = applied_twice(np.asarray(draw_div2krk(KEY, 2), np.float64))
    np.testing.assert_allclose(draw_div2krk(KEY, 4), twice / twice.sum(), atol=1e-8, rtol=1e-5)


def test_a_delta_kernel_has_one_pixel():
    expected = np.zeros((5, 5))
    expected[2, 2] = 1
    np.testing.assert_array_equal(delta_kernel(5), expected)


def test_a_basis_is_the_centred_svd():
    kernels = anisotropic(KEY, 300, size=5)
    flat = np.asarray(kernels, np.float64).reshape(300, 25)
    expected = np.linalg.svd(flat - flat.mean(axis=0))[2][:3].T
    expected *= np.sign(expected[np.abs(expected).argmax(axis=0), range(3)])
    np.testing.assert_allclose(basis_of(kernels, 3), expected, atol=1e-4)


@pytest.mark.shared
def test_the_published_basis_spans_our_kernels(shared):
    """With widths of 0.2 to 4 and no other range: the last component has 1e-8 of the variance."""
    published = load_basis(shared / "weights" / "dan_pca_iso_21.pth", kernel_size=21, code_length=10)
    kernels = isotropic(KEY, 1000, widths=PCA_WIDTHS)
    ours = np.asarray(basis_of(kernels, 10))
    assert np.abs((ours * published).sum(axis=0))[:5].min() > 0.99
    assert np.linalg.svd(ours.T @ published)[1].min() > 0.99  # the cosine between the two spaces


def test_mistakes_are_named():
    with pytest.raises(UserError, match="no kernel widths for scale 8; choose one of: 2, 3, 4"):
        gaussian8_kernels(8)
