"""From the generator's kernel to finished ones, against the reference implementation."""

import numpy as np
import pytest

from jaxsr.blind.kernelgan.postprocessing import clean, finish, square_kernel, variance, with_variance
from jaxsr.degradations.centering import centre_kernel, centre_of_mass, kernel_centre


@pytest.mark.shared
def test_golden_file(shared):
    with np.load(shared / "golden" / "kernelgan_postprocess.npz") as data:
        cleaned = clean(data["in/kernel"])
        np.testing.assert_allclose(cleaned, data["out/thresholded"], atol=1e-6)
        np.testing.assert_allclose(centre_kernel(cleaned, 2), data["out/processed"], atol=1e-6)
        fourfold = square_kernel(data["out/thresholded"])
        np.testing.assert_allclose(fourfold, data["out/analytic_x4_of_thresholded"], atol=1e-7)


def test_the_square_reduces_as_the_kernel_does_twice():
    """Of a photo reduced twice by `kernel`, each pixel is the sharp photo times the kernel of scale 4."""
    rng = np.random.default_rng(0)
    kernel = np.zeros((13, 13))
    kernel[4:9, 4:9] = rng.random((5, 5))  # what lies further out is cut from the square
    kernel /= kernel.sum()
    sharp = rng.random((60, 60))

    def reduce(image, kernel, scale):
        size = len(kernel)
        places = range(0, len(image) - size + 1, scale)
        return np.array([[np.sum(image[y : y + size, x : x + size] * kernel) for x in places] for y in places])

    twice = reduce(reduce(sharp, kernel, 2), kernel, 2)
    once = reduce(sharp[6:, 6:], square_kernel(kernel), 4)  # 13 // 2 pixels are cut
    np.testing.assert_allclose(once[: len(twice), : len(twice)], twice, rtol=1e-9)


@pytest.mark.parametrize(("scale", "smallest"), [(2, 13), (4, 25)])
def test_finished_kernels_sum_to_one_about_their_centre(scale, smallest):
    kernel = np.zeros((13, 13), np.float32)
    kernel[3:9, 4:11] = np.random.default_rng(0).random((6, 7))
    finished = finish(kernel - 0.01, scale)
    assert finished.sum() == pytest.approx(1) and len(finished) > smallest
    pad = (len(finished) - smallest) // 2
    np.testing.assert_allclose(centre_of_mass(finished), kernel_centre(smallest, scale) + pad, atol=5e-3)


def blob(size, row_variance, column_variance):
    """Return a Gaussian (size, size), off its centre, of these variances."""
    row, column = np.ogrid[:size, :size]
    kernel = np.exp(-((row - 6.5) ** 2) / (2 * row_variance) - (column - 6) ** 2 / (2 * column_variance))
    return kernel / kernel.sum()


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.5, 2.0])
def test_a_kernel_of_another_variance(factor):
    """Scaled about where it is, whatever its shape: the exact Gaussian of the new variances."""
    scaled = with_variance(blob(13, 2.0, 1.5), factor)
    pad = (len(scaled) - 13) // 2
    np.testing.assert_allclose(centre_of_mass(scaled), [6.5 + pad, 6 + pad], atol=0.02)
    np.testing.assert_allclose(scaled[pad : pad + 13, pad : pad + 13], blob(13, 2 * factor, 1.5 * factor), atol=4e-3)
    assert scaled.sum() == pytest.approx(1) and variance(scaled) == pytest.approx(1.75 * factor, rel=0.02)


def test_a_kernel_of_another_variance_is_not_turned():
    kernel = np.zeros((13, 13))
    kernel[4:8, 5:9] = 3 * np.random.default_rng(1).random((4, 4))
    scaled = with_variance(kernel, 1 + 1e-9)
    pad = (len(scaled) - 13) // 2
    np.testing.assert_allclose(scaled[pad : pad + 13, pad : pad + 13], kernel / kernel.sum(), atol=1e-6)
    np.testing.assert_allclose(with_variance(kernel, 1), kernel / kernel.sum())
    assert variance(kernel) == pytest.approx(variance(kernel / kernel.sum()))


def test_a_wide_kernel_fits_into_its_frame():
    wide = with_variance(np.ones((5, 5)), 4.0)
    assert len(wide) >= 10 and variance(wide) == pytest.approx(4 * variance(np.ones((5, 5))), rel=0.1)


def test_a_factor_of_one_changes_nothing():
    kernel = blob(13, 2.0, 1.5)
    np.testing.assert_array_equal(finish(kernel, 2, factor=1.0), finish(kernel, 2))
    assert variance(finish(kernel, 2, factor=0.5)) == pytest.approx(0.5 * variance(finish(kernel, 2)), rel=0.03)
