"""From the generator's kernel to the kernels that others use: cleaned, centred, and for x4.

Bell-Kligler et al., NeurIPS 2019, section 4 and supplementary; kernels are squares in correlation orientation.
"""

import numpy as np

from jaxsr.degradations.centering import centre_kernel
from jaxsr.degradations.kernels import applied_twice

PUBLISHED_ENTRIES = 40  # that the published code takes for significant
KEPT_ENTRIES = 80  # wide kernels have more than 40 (benchmarks/README.md)
SHARE_OF_NEXT = 0.75  # of the largest insignificant entry, subtracted from all


def clean(kernel: np.ndarray, *, entries: int = PUBLISHED_ENTRIES) -> np.ndarray:
    """Return `kernel` (k, k) less 0.75 of its largest entry beyond `entries`, cut off at 0, of sum 1."""
    next_largest = np.sort(kernel, axis=None)[-entries - 1]
    kernel = np.maximum(kernel - SHARE_OF_NEXT * next_largest, 0)
    return kernel / kernel.sum()


def square_kernel(kernel: np.ndarray) -> np.ndarray:
    """Return the kernel of scale 4 (2 k - 1 or 2 k - 2 pixels wide) that reducing twice by `kernel` (k, k) amounts to.

    That is k correlated with itself at twice the distance, (3 k - 2) pixels wide, cut by k // 2 on each side; sum 1.
    """
    size, whole = len(kernel), applied_twice(kernel)
    cut = whole[size // 2 : -(size // 2), size // 2 : -(size // 2)]
    return cut / cut.sum()


def finish(kernel: np.ndarray, scale: int) -> np.ndarray:
    """Return the generator's `kernel` (13, 13) cleaned and centred for `scale` 2 or 4, of sum 1.

    The frame grows by what the shift needs. Small negative entries can come from the spline.
    """
    kernel = clean(np.asarray(kernel, np.float64), entries=KEPT_ENTRIES)
    kernel = centre_kernel(square_kernel(kernel) if scale == 4 else kernel, scale)
    return kernel / kernel.sum()
