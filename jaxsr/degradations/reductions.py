"""Reductions that draw no blur kernel: MATLAB's and Pillow's bicubic, and RDN's blurred and noisy ones.

Source of "bd" and "dn": Zhang et al., "Residual Dense Network for Image Super-Resolution", CVPR 2018, section 5.1.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.pixels import to_float, to_levels
from jaxsr.imaging.resize import cubic, resize
from jaxsr.support.randomness import Stream, streams
from jaxsr.support.types import Key

BICUBIC_CONTEXT = 2  # LR pixels at a patch's edge that MATLAB's bicubic kernel fills from beyond it

BLUR_SIZE, BLUR_SIGMA = 7, 1.6  # of bd
NOISE_SIGMA = 30 / 255  # of dn
FIXED_POINT = 1 << 22  # what Pillow multiplies its weights by


def reduce_bicubic(hr: jax.Array, scale: int) -> jax.Array:
    """Return the MATLAB-bicubic reduction (N, H / scale, W / scale, C) of `hr` (N, H, W, C), not rounded."""
    return resize(hr, 1 / scale)


def reduce_pillow(hr: jax.Array, scale: int) -> jax.Array:
    """Return Pillow's bicubic reduction (N, H / scale, W / scale, C) of `hr` (N, H, W, C) in [0, 1], in 8 bits.

    Equal to Pillow bit for bit: columns are reduced first, in fixed point, and each of the two passes rounds to 8 bits.
    """
    levels = to_levels(hr).astype(jnp.int32)
    for equation, axis in (("mw,nhwc->nhmc", 2), ("mh,nhwc->nmwc", 1)):
        sums = jnp.einsum(equation, pillow_matrix(hr.shape[axis], scale), levels)
        levels = jnp.clip((sums + FIXED_POINT // 2) // FIXED_POINT, 0, 255)
    return to_float(levels.astype(jnp.uint8))


@functools.lru_cache(maxsize=64)
def pillow_matrix(size: int, scale: int) -> np.ndarray:
    """Return the int32 matrix (size / scale, size) of Pillow's bicubic; its rows sum to about FIXED_POINT.

    Weights beyond the border are left out, and the others divided by their sum.
    """
    centres = (np.arange(size // scale) + 0.5) * scale
    weights = cubic((np.arange(size) + 0.5 - centres[:, None]) / scale)
    return np.rint(weights / weights.sum(axis=1, keepdims=True) * FIXED_POINT).astype(np.int32)


def reduce_bd(hr: jax.Array, scale: int) -> jax.Array:
    """Return the middle pixel of each `scale` x `scale` block of blurred `hr` (N, H, W, C), in 8 bits.

    The blur is a 7x7 Gaussian of 1.6 pixels with replicated borders.
    """
    offsets = np.arange(BLUR_SIZE) - BLUR_SIZE // 2
    weights = np.exp(-0.5 * (offsets / BLUR_SIGMA) ** 2)
    weights = jnp.asarray(weights / weights.sum(), hr.dtype)
    for axis in (1, 2):
        border = [(0, 0)] * 4
        border[axis] = (BLUR_SIZE // 2, BLUR_SIZE // 2)
        padded = jnp.pad(hr, border, mode="edge")
        shifted = [jax.lax.slice_in_dim(padded, i, i + hr.shape[axis], axis=axis) for i in range(BLUR_SIZE)]
        hr = jnp.tensordot(weights, jnp.stack(shifted), axes=1, precision="highest")
    return round_to_levels(hr)[:, scale // 2 :: scale, scale // 2 :: scale]


def reduce_dn(keys: Key, hr: jax.Array, scale: int) -> jax.Array:
    """Return the bicubic reduction of `hr` with white noise of 30 levels, in 8 bits; `keys` (N,) are of the photos."""
    lr = round_to_levels(resize(hr, 1 / scale))
    noise = jax.vmap(lambda key: jax.random.normal(key, lr.shape[1:]))(streams(keys, Stream.REDUCTION_NOISE))
    return round_to_levels(lr + NOISE_SIGMA * noise)
