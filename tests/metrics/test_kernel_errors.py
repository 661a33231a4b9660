"""The error of an estimated kernel, which neither shift nor frame may change."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.degradations.centering import centre_kernel, centre_of_mass, move_kernel
from jaxsr.degradations.kernels import anisotropic_kernels
from jaxsr.metrics.kernel_errors import centre_distance, in_frame, kernel_error, kernel_psnr
from jaxsr.support.errors import UserError


def gaussian(first: float, second: float, size: int = 13) -> np.ndarray:
    return np.asarray(anisotropic_kernels(np.array([[first, second]]), np.array([0.5]), size))[0]


def test_centred_kernels_are_compared_entry_by_entry():
    a, b = gaussian(1.5, 1), gaussian(2, 1)
    assert kernel_error(a, b) == pytest.approx(np.linalg.norm(a - b) / np.linalg.norm(b), rel=1e-4)
    assert kernel_error(b, b) == pytest.approx(0, abs=1e-9)


def test_shift_frame_and_sum_do_not_matter():
    truth = gaussian(2, 1)
    assert kernel_error(0.9 * move_kernel(truth, np.array([0.4, -0.8])), truth) < 0.02
    assert kernel_error(truth, np.pad(truth, 3)) < 1e-6
    assert kernel_error(gaussian(2, 1, size=12), truth) < 0.03
    assert kernel_error(gaussian(4, 3), truth) > 0.4


def test_a_frame_has_the_centre_of_mass_in_its_middle():
    framed = in_frame(move_kernel(gaussian(2, 1), np.array([1.3, 0.2])), 25)
    np.testing.assert_allclose(centre_of_mass(framed), 12, atol=2e-3)


def test_psnr_is_that_of_the_centred_kernels():
    a, b = gaussian(1.5, 1), gaussian(2, 1)
    framed = in_frame(b, 17)
    error = kernel_error(a, b) * np.linalg.norm(framed)  # over 17 x 17 entries
    assert kernel_psnr(a, b) == pytest.approx(10 * np.log10(framed.max() ** 2 * 17**2 / error**2))
    assert kernel_psnr(b, b) == float("inf")


def test_centres_are_compared_where_the_convention_puts_them():
    truth = gaussian(2, 1)
    moved = move_kernel(truth, np.array([0.3, -0.4]))  # in a frame of 17 pixels
    assert centre_distance(moved, truth, 2) == pytest.approx(0.5, abs=2e-3)
    assert centre_distance(centre_kernel(truth, 2), centre_kernel(gaussian(1, 1), 2), 2) < 5e-3
    assert centre_distance(centre_kernel(truth, 2), truth, 2) < 5e-3  # a true kernel centred on its middle entry


@pytest.mark.parametrize("metric", [kernel_error, kernel_psnr, lambda a, b: centre_distance(a, b, 2)])
@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (np.ones((3, 5)), r"a square \(k, k\); got shape \(3, 5\)"),
        (np.ones((1, 5, 5)), r"a square \(k, k\); got shape \(1, 5, 5\)"),
        (np.zeros((5, 5)), r"a blur kernel of sum 0.0 has no centre"),
    ],
)
def test_what_is_no_kernel_is_named(metric, kernel, message):
    for pair in ((kernel, gaussian(2, 1)), (gaussian(2, 1), kernel)):
        with pytest.raises(UserError, match=message):
            metric(*pair)


def test_kernels_of_a_degradation_are_compared_as_numpy_arrays():
    """They are JAX arrays, whose sums of float64 would warn."""
    a, b = gaussian(1.5, 1), gaussian(2, 1)
    for metric in (kernel_error, kernel_psnr, lambda a, b: centre_distance(a, b, 2)):
        assert metric(a, jnp.asarray(b)) == metric(jnp.asarray(a), b) == metric(a, b)
