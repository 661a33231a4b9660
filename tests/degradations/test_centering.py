"""The centre of blur kernels: the convention, and kernels moved to it."""

import numpy as np
import pytest

from jaxsr.degradations.centering import centre_kernel, centre_of_mass, kernel_centre, move_kernel
from jaxsr.degradations.kernels import anisotropic_kernels
from jaxsr.support.errors import UserError


def gaussian(size: int = 13) -> np.ndarray:
    """Return a slanted kernel."""
    return np.asarray(anisotropic_kernels(np.array([[2.0, 1.0]]), np.array([0.5]), size))[0]


@pytest.mark.parametrize(
    ("size", "scale", "centre"), [(13, 2, 6.5), (11, 2, 5.5), (31, 4, 16.5), (8, 2, 5.0), (21, 1, 10)]
)
def test_the_convention(size, scale, centre):
    assert kernel_centre(size, scale) == centre


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_ramp_reduced_with_a_centred_kernel_stays_aligned_with_its_blocks(scale):
    kernel = centre_kernel(gaussian(), scale)
    kernel, before = kernel / kernel.sum(), len(kernel) // 2  # `blur` puts pixel k // 2 on the one it computes
    ramp = np.arange(80.0)
    blurred = np.array([kernel.sum(axis=0) @ ramp[x - before : x - before + len(kernel)] for x in range(20, 50)])
    np.testing.assert_allclose(blurred, ramp[20:50] + (scale - 1) / 2, atol=1e-3)


def test_moving_a_kernel_moves_its_centre_of_mass():
    moved = move_kernel(gaussian(), np.array([0.3, -0.7]))
    np.testing.assert_allclose(centre_of_mass(moved), centre_of_mass(gaussian()) + 2 + [0.3, -0.7], atol=2e-3)


def test_reference_files(shared):
    with np.load(shared / "golden" / "kernelgan_postprocess.npz") as file:
        thresholded, processed = file["out/thresholded"], file["out/processed"]
    np.testing.assert_allclose(centre_kernel(thresholded, 2), processed, atol=1e-6 * processed.max())


def test_a_kernel_of_sum_zero_has_no_centre():
    with pytest.raises(UserError, match="sum"):
        centre_of_mass(np.zeros((5, 5)))
