"""How far an estimated blur kernel is from the true one."""

import numpy as np

from jaxsr.degradations.centering import centre_of_mass, kernel_centre, move_kernel
from jaxsr.support.errors import UserError
from jaxsr.support.types import AnyArray


def kernel_error(estimate: AnyArray, true: AnyArray) -> float:
    """Return the norm of the difference of two kernels over that of the true one: 0 for equal kernels.

    Example: `kernel_error(jaxsr.estimate_kernel(photo), true)`.

    Args:
        estimate: (k, k), of any sum but 0.
        true: (k, k), of any size. Both are first divided by their sums and centred in one frame.

    Returns:
        A number, 0 or more.

    Raises:
        UserError: for a kernel that is not square, or whose entries sum to 0.
    """
    estimate, true = _checked(estimate), _checked(true)
    size = max(len(estimate), len(true)) + 4
    estimate, true = in_frame(estimate, size), in_frame(true, size)
    return float(np.linalg.norm(estimate - true) / np.linalg.norm(true))


def in_frame(kernel: np.ndarray, size: int) -> np.ndarray:
    """Return `kernel` (k, k), divided by its sum, with its centre of mass in the middle of a frame (size, size)."""
    frame = np.zeros((size, size))
    start = (size - len(kernel)) // 2
    frame[start : start + len(kernel), start : start + len(kernel)] = kernel / kernel.sum(dtype=np.float64)
    return move_kernel(frame, (size - 1) / 2 - centre_of_mass(frame), pad=0)


def kernel_psnr(estimate: AnyArray, true: AnyArray) -> float:
    """Return 10 log10(max(true)² / MSE) in dB of two kernels; infinite when they are equal.

    Example: `kernel_psnr(jaxsr.estimate_kernel(photo), true)`.

    Args:
        estimate: (k, k), of any sum but 0.
        true: (k, k), of any size. Both are first divided by their sums and centred in one frame.

    Returns:
        Decibels.

    Raises:
        UserError: for a kernel that is not square, or whose entries sum to 0.
    """
    estimate, true = _checked(estimate), _checked(true)
    size = max(len(estimate), len(true)) + 4
    estimate, true = in_frame(estimate, size), in_frame(true, size)
    error = np.mean((estimate - true) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(true.max() ** 2 / error))


def centre_distance(estimate: AnyArray, true: AnyArray, scale: int) -> float:
    """Return how far apart the offsets of two kernels are: of their centres of mass from where `scale` wants them.

    That place is k // 2 + 0.5 (scale - k mod 2). Published true kernels, such as DIV2KRK's, are often centred at
    k // 2: where that is nearer, it counts.

    Example: `centre_distance(jaxsr.estimate_kernel(photo), true, scale=2)`.

    Args:
        estimate: (k, k), of any sum but 0.
        true: (k, k), of any size.
        scale: the reduction that the kernels are made for.

    Returns:
        Pixels of the HR photo.

    Raises:
        UserError: for a kernel that is not square, or whose entries sum to 0.
    """
    estimate, true = _checked(estimate), _checked(true)
    offset = centre_of_mass(estimate) - kernel_centre(len(estimate), scale)
    conventions = (kernel_centre(len(true), scale), len(true) // 2)
    return float(min(np.linalg.norm(offset - (centre_of_mass(true) - centre)) for centre in conventions))


def _checked(kernel: AnyArray) -> np.ndarray:
    """Return `kernel` as a NumPy array; raises UserError unless it is a square, with a sum to divide by."""
    kernel = np.asarray(kernel)  # that of a degradation is a JAX array, whose sums are single precision
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1]:
        raise UserError(f"a kernel is a square (k, k); got shape {kernel.shape}; cut it, or pad it with zeros")
    centre_of_mass(kernel)  # which there is unless the entries sum to 0
    return kernel
