"""BT.601 luma and chroma as MATLAB's rgb2ycbcr computes them, and 8-bit rounding."""

import numpy as np

from jaxsr.imaging.arrays import Array, floats_of, namespace
from jaxsr.support.errors import UserError

# Rows are R, G, B; columns Y, Cb, Cr; for inputs in [0, 1] and outputs on the 0..255 scale.
_TO_YCBCR = np.array([[65.481, -37.797, 112.0], [128.553, -74.203, -93.786], [24.966, 112.0, -18.214]]) / 255
_OFFSET = np.array([16.0, 128.0, 128.0]) / 255
_TO_FULL_RANGE = np.array([[0.299], [0.587], [0.114]])
_TO_RGB = np.linalg.inv(_TO_YCBCR)


def rgb_to_ycbcr(rgb: Array) -> Array:
    """Return Y, Cb, Cr (..., 3) of `rgb` (..., 3) in [0, 1]; Y lies in [16/255, 235/255]. No clipping."""
    return _affine(rgb, _TO_YCBCR, after=_OFFSET)


def ycbcr_to_rgb(ycbcr: Array) -> Array:
    """Return R, G, B (..., 3), the exact inverse of `rgb_to_ycbcr`. No clipping."""
    return _affine(ycbcr, _TO_RGB, before=-_OFFSET)


def luma(image: Array) -> Array:
    """Return the Y channel (..., 1) of an RGB image (..., 3) in [0, 1]; a grey image (..., 1) is its own luma."""
    if image.shape[-1:] == (1,):
        return image
    return _affine(image, _TO_YCBCR[:, :1], after=_OFFSET[:1])


def full_range_luma(image: Array) -> Array:
    """Return JPEG's Y (..., 1) in [0, 1] of an RGB image (..., 3) in [0, 1]; a grey image (..., 1) is its own.

    It spans 255 levels where `luma` spans 219: the same difference counts 1.32 dB more.
    """
    return image if image.shape[-1:] == (1,) else _affine(image, _TO_FULL_RANGE)


def to_range(image: Array, value_range: tuple[float, float]) -> Array:
    """Return `image` in [0, 1] in the values of a network, such as (-1, 1)."""
    low, high = value_range
    return image * (high - low) + low


def from_range(image: Array, value_range: tuple[float, float]) -> Array:
    """Return `image` in [0, 1] from the values of a network, such as (-1, 1)."""
    low, high = value_range
    return (image - low) / (high - low)


def round_to_levels(image: Array, levels: int = 255) -> Array:
    """Return `image` in [0, 1] clipped and rounded half up to `levels` + 1 values, still in [0, 1]."""
    xp = namespace(image)
    return xp.floor(xp.clip(image, 0, 1) * levels + 0.5) / levels


def _affine(
    x: Array, matrix: np.ndarray, *, before: np.ndarray | None = None, after: np.ndarray | None = None
) -> Array:
    """Return (x + before) @ matrix + after over the last axis, in the precision of `x`."""
    xp = namespace(x)
    if not x.shape or x.shape[-1] != len(matrix):
        raise UserError(f"colours have {len(matrix)} channels, on the last axis; got shape {x.shape}")
    if np.issubdtype(x.dtype, np.integer):  # the matrix would become zeros
        raise UserError(f"colours are floats in [0, 1]; got {x.dtype}; {floats_of(x.dtype)}")
    along = (1,) * (x.ndim - 1) + (-1,)
    if before is not None:
        x = x + xp.asarray(before.reshape(along), x.dtype)
    # Accelerators multiply float32 by 8 or 11 of its bits unless asked not to: half a level of 8 bits would be lost
    exact = {} if xp is np else {"precision": "highest"}
    x = xp.einsum("...i,io->...o", x, xp.asarray(matrix, x.dtype), **exact)
    return x if after is None else x + xp.asarray(after.reshape(along), x.dtype)
