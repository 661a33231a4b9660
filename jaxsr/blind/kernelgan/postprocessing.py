"""From the generator's raw kernel to the finished one: cleaned, centred, and for scale 4.

Bell-Kligler et al., NeurIPS 2019, section 4 and supplementary; kernels are squares in correlation orientation.
"""

import numpy as np

from jaxsr.degradations.centering import centre_kernel
from jaxsr.degradations.kernels import applied_twice

PUBLISHED_ENTRIES = 40  # entries of a kernel that the published code counts as significant
KEPT_ENTRIES = 80  # wide kernels have more than 40 (benchmarks/README.md)
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


def finish(kernel: np.ndarray, scale: int) -> np.ndarray:
    """Return the generator's `kernel` (13, 13) cleaned and centred for `scale` 2 or 4, of sum 1.

    The frame grows by what the shift needs. Spline interpolation can make small negative entries.
    """
    kernel = clean(np.asarray(kernel, np.float64), entries=KEPT_ENTRIES)
    kernel = centre_kernel(square_kernel(kernel) if scale == 4 else kernel, scale)
    return kernel / kernel.sum()
