"""From the generator's raw kernel to the finished one: cleaned, centred, and for scale 4.

Bell-Kligler et al., NeurIPS 2019, section 4 and supplementary; kernels are squares in correlation orientation.
"""

import math

import numpy as np
import scipy

from jaxsr.degradations.centering import centre_kernel, centre_of_mass
from jaxsr.degradations.kernels import applied_twice

PUBLISHED_ENTRIES = 40  # entries of a kernel that the published code counts as significant
KEPT_ENTRIES = 80  # by every fidelity: wide kernels have more than 40 (benchmarks/README.md)
SHARE_OF_NEXT = 0.75  # of the largest insignificant entry, subtracted from all


def clean(kernel: np.ndarray, *, entries: int = PUBLISHED_ENTRIES) -> np.ndarray:
    """Return `kernel` (k, k) without noise: less 0.75 times the largest entry that is not among the `entries` largest.

    Negative entries become 0, and the sum 1.
    """
    next_largest = np.sort(kernel, axis=None)[-entries - 1]
    kernel = np.maximum(kernel - SHARE_OF_NEXT * next_largest, 0)
    return kernel / kernel.sum()


def square_kernel(kernel: np.ndarray) -> np.ndarray:
    """Return the kernel of scale 4 that is equivalent to reducing by 2 with `kernel` (k, k) twice; its sum is 1.

    That is `kernel` correlated with itself dilated by 2, (3 k - 2) pixels wide, cut by k // 2 on each side: 2 k - 1 or
    2 k - 2 pixels wide.
    """
    size, whole = len(kernel), applied_twice(kernel)
    cut = whole[size // 2 : -(size // 2), size // 2 : -(size // 2)]
    return cut / cut.sum()


def variance(kernel: np.ndarray) -> float:
    """Return the variance per axis, in squared pixels, of `kernel` (k, k) about its centre of mass."""
    row, column = centre_of_mass(kernel)
    offsets = np.arange(len(kernel))
    squares = (offsets[:, None] - row) ** 2 + (offsets - column) ** 2
    return float((kernel * squares).sum() / kernel.sum() / 2)


def raw_variance(kernel: np.ndarray) -> float:
    """Return the `variance` of the generator's `kernel` (13, 13) once it is cleaned."""
    return variance(clean(np.asarray(kernel, np.float64), entries=KEPT_ENTRIES))


def with_variance(kernel: np.ndarray, factor: float) -> np.ndarray:
    """Return `kernel` (k, k) scaled about its centre of mass so that its variance changes by `factor`; its sum is 1.

    A cubic spline interpolates. The frame grows where the kernel does.
    """
    if factor == 1:
        return kernel / kernel.sum()
    pad = max(math.ceil((math.sqrt(factor) - 1) * len(kernel) / 2), 0)
    centre = centre_of_mass(kernel)[:, None, None] + pad
    frame = np.pad(kernel, pad)
    scaled = scipy.ndimage.map_coordinates(
        frame, centre + (np.indices(frame.shape) - centre) / math.sqrt(factor), order=3
    )
    return scaled / scaled.sum()


def finish(kernel: np.ndarray, scale: int, *, factor: float = 1.0) -> np.ndarray:
    """Return the generator's `kernel` (13, 13) cleaned and centred for `scale` 2 or 4, of sum 1.

    `factor` multiplies its variance. The frame grows by what that and the shift need. Spline interpolation can make
    small negative entries.
    """
    kernel = with_variance(clean(np.asarray(kernel, np.float64), entries=KEPT_ENTRIES), factor)
    kernel = centre_kernel(square_kernel(kernel) if scale == 4 else kernel, scale)
    return kernel / kernel.sum()
