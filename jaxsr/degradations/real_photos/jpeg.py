"""JPEG simulated in JAX: what compression and decompression by a quality from 1 to 100 make of a photo.

Baseline JPEG with chroma at half the size (4:2:0), the tables and quality scale of the Independent JPEG Group, and its
decoder's triangle filter for chroma. Only the entropy coding, which loses nothing, is left out.
Source: ITU-T T.81, annexes A and K; JFIF 1.02 for the colours.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

BLOCK, UNIT = 8, 16  # sides of a block of the transform, and of what shares one block of chroma

# Annex K, tables K.1 and K.2, by vertical and horizontal frequency.
LUMA_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
CHROMA_TABLE = np.full((BLOCK, BLOCK), 99, np.float32)
CHROMA_TABLE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]

# JFIF's colours, of levels 0..255: rows are R, G, B; columns Y, Cb, Cr.
_TO_YCC = np.array([[0.299, -0.168736, 0.5], [0.587, -0.331264, -0.418688], [0.114, 0.5, -0.081312]], np.float32)
_TO_RGB = np.linalg.inv(_TO_YCC).astype(np.float32)
_OFFSET = np.array([[[0, 128, 128]]], np.float32)

_FREQUENCY, _PLACE = np.mgrid[:BLOCK, :BLOCK]
_DCT = (np.cos((2 * _PLACE + 1) * _FREQUENCY * np.pi / (2 * BLOCK)) / 2).astype(
    np.float32
)  # orthonormal, (frequency, place)
_DCT[0] /= np.sqrt(np.float32(2))

_HIGHEST = jax.lax.Precision.HIGHEST


def jpeg(image: jax.Array, quality: jax.Array | float) -> jax.Array:
    """Return `image` (H, W, 1 or 3) in [0, 1] as it comes back from a JPEG file of `quality`, in 8 bits.

    `quality` from 1 to 100 may be traced; its fraction is cut off. Roundings pass gradients on as if they were not
    there. Without the codec's integer arithmetic, levels differ from Pillow's by less than 0.6 on average, from
    quality 10 to 95.
    """
    height, width, channels = image.shape
    levels = jnp.pad(_rounded(image * 255), ((0, -height % UNIT), (0, -width % UNIT), (0, 0)), mode="edge")
    if channels == 1:
        return _rounded(_coded(levels[..., 0], _scaled(LUMA_TABLE, quality)))[:height, :width, None] / 255
    ycc = _rounded(jnp.einsum("hwi,io->hwo", levels, _TO_YCC, precision=_HIGHEST) + _OFFSET)
    luma = _coded(ycc[..., 0], _scaled(LUMA_TABLE, quality))
    table = _scaled(CHROMA_TABLE, quality)
    chroma = [_enlarged(_coded(_halved(ycc[..., i]), table)) for i in (1, 2)]
    decoded = jnp.stack([luma, *chroma], axis=-1) - _OFFSET
    return _rounded(jnp.einsum("hwi,io->hwo", decoded, _TO_RGB, precision=_HIGHEST))[:height, :width] / 255


def _scaled(table: np.ndarray, quality: jax.Array | float) -> jax.Array:
    """Return the steps (8, 8) of quantisation at `quality`, by the Independent JPEG Group's scale."""
    quality = jnp.asarray(quality, jnp.int32)
    percent = jnp.where(quality < 50, 5000 // jnp.maximum(quality, 1), 200 - 2 * quality)
    return jnp.clip(jnp.floor((table * percent + 50) / 100), 1, 255)


def _coded(plane: jax.Array, table: jax.Array) -> jax.Array:
    """Return `plane` (H, W), levels 0..255 and sides in blocks, with its coefficients quantised by `table`."""
    height, width = plane.shape
    blocks = plane.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK) - 128
    coefficients = jnp.einsum("uy,aybx,vx->aubv", _DCT, blocks, _DCT, precision=_HIGHEST)
    steps = table[None, :, None, :]
    quantised = _straight_through(jnp.round, coefficients / steps) * steps
    decoded = jnp.einsum("uy,aubv,vx->aybx", _DCT, quantised, _DCT, precision=_HIGHEST)
    return _rounded(decoded.reshape(height, width) + 128)


def _halved(plane: jax.Array) -> jax.Array:
    """Return the means (H / 2, W / 2) of 2x2 pixels of `plane`; a half goes down and up in turn, by column."""
    height, width = plane.shape
    means = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return _rounded(means, np.resize([0.25, 0.5], (1, width // 2)))


def _enlarged(plane: jax.Array) -> jax.Array:
    """Return `plane` at twice the size: each pixel is three parts of the nearest and one of the next, by axis.

    A half goes up and down in turn, by column.
    """
    for axis in (0, 1):
        padded = jnp.pad(plane, [(1, 1) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        before, after = (jax.lax.slice_in_dim(padded, i, i + plane.shape[axis], axis=axis) for i in (0, 2))
        pairs = jnp.stack([3 * plane + before, 3 * plane + after], axis=axis + 1) / 4
        plane = pairs.reshape([2 * side if i == axis else side for i, side in enumerate(plane.shape)])
    return _rounded(plane, np.resize([8 / 16, 7 / 16], (1, plane.shape[1])))


def _rounded(levels: jax.Array, half: float | np.ndarray = 0.5) -> jax.Array:
    """Return `levels` plus `half` as whole numbers from 0 to 255, rounded down, with the gradient of clipping alone."""
    return _straight_through(lambda x: jnp.floor(x + jnp.asarray(half, x.dtype)), jnp.clip(levels, 0, 255))


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _straight_through(rounding: Callable[[jax.Array], jax.Array], x: jax.Array) -> jax.Array:
    """Return `rounding(x)` with the gradient of x."""
    return rounding(x)


@_straight_through.defjvp
def _pass_on(
    rounding: Callable[[jax.Array], jax.Array], primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    return rounding(primals[0]), tangents[0]
