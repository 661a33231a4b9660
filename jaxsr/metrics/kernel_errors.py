"""How far an estimated blur kernel is from the true one."""

import numpy as np

from jaxsr.degradations.centering import centre_of_mass, kernel_centre, move_kernel


def kernel_error(estimate: np.ndarray, truth: np.ndarray) -> float:
    """Return the norm of the difference over that of `truth`, both (k, k) of any sizes, centred before."""
    size = max(len(estimate), len(truth)) + 4
    estimate, truth = in_frame(estimate, size), in_frame(truth, size)
    return float(np.linalg.norm(estimate - truth) / np.linalg.norm(truth))


def in_frame(kernel: np.ndarray, size: int) -> np.ndarray:
    """Return `kernel` (k, k), divided by its sum, with its centre of mass in the middle of a frame (size, size)."""
    frame = np.zeros((size, size))
    start = (size - len(kernel)) // 2
    frame[start : start + len(kernel), start : start + len(kernel)] = kernel / kernel.sum(dtype=np.float64)
    return move_kernel(frame, (size - 1) / 2 - centre_of_mass(frame), pad=0)


def kernel_psnr(estimate: np.ndarray, truth: np.ndarray) -> float:
    """Return 10 log10(max(truth)² / MSE) in dB of two kernels (k, k) of any sizes, both centred in one frame before."""
    size = max(len(estimate), len(truth)) + 4
    estimate, truth = in_frame(estimate, size), in_frame(truth, size)
    error = np.mean((estimate - truth) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(truth.max() ** 2 / error))


def centre_distance(estimate: np.ndarray, truth: np.ndarray, scale: int) -> float:
    """Return how far apart, in pixels, the centres of mass of two kernels lie, each from where `scale` wants it.

    Published true kernels, such as DIV2KRK's, are often centred at k // 2 instead: the nearer counts.
    """
    found = centre_of_mass(estimate) - kernel_centre(len(estimate), scale)
    wanted = (kernel_centre(len(truth), scale), len(truth) // 2)
    return float(min(np.linalg.norm(found - (centre_of_mass(truth) - centre)) for centre in wanted))
