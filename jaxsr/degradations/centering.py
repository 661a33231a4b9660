"""Where the centre of a blur kernel lies: one convention for all who estimate, apply or compare kernels.

A small photo that starts at pixel 0 and keeps every `scale`-th one lies in the middle of its blocks of sharp pixels
only if the kernel moves the photo by half a block. Kernels for the reduction "strided" carry that shift; those for
"bicubic", which aligns the photos itself, are centred at k // 2, as for scale 1 and odd k.
"""

import numpy as np
from scipy import ndimage

from jaxsr.support.errors import UserError


def kernel_centre(size: int, scale: int) -> float:
    """Return the row, and column, from 0, of the centre of a `size` x `size` kernel that is sampled every `scale`."""
    return size // 2 + 0.5 * (scale - size % 2)


def centre_of_mass(kernel: np.ndarray) -> np.ndarray:
    """Return the mean (row, column) of `kernel` (k, k), weighted by its entries; raises UserError for sum 0."""
    total = float(kernel.sum(dtype=np.float64))
    if not np.isfinite(total) or abs(total) < 1e-12:
        raise UserError(f"a blur kernel of sum {total} has no centre; its entries must sum to 1")
    offsets = np.arange(len(kernel), dtype=np.float64)
    return np.array([offsets @ kernel.sum(axis=1), kernel.sum(axis=0) @ offsets]) / total


def move_kernel(kernel: np.ndarray, shift: np.ndarray, *, pad: int | None = None) -> np.ndarray:
    """Return `kernel` (k, k) moved down and right by `shift` pixels, on a frame widened by `pad` on each side.

    By default the frame takes up the whole shift. A cubic spline interpolates, zero outside: small negative entries
    can occur, and the sum can change a little.
    """
    pad = int(np.ceil(np.abs(shift).max())) + 1 if pad is None else pad
    return ndimage.shift(np.pad(kernel, pad), shift, order=3)


def centre_kernel(kernel: np.ndarray, scale: int) -> np.ndarray:
    """Return `kernel` (k, k) with its centre of mass at `kernel_centre`, on a frame wide enough (k + 2p, k + 2p)."""
    return move_kernel(kernel, kernel_centre(len(kernel), scale) - centre_of_mass(kernel))
