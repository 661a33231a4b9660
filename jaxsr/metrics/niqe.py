"""NIQE, the naturalness of a photo without a reference: Mittal, Soundararajan and Bovik (2013), in JAX.

`niqe.npz` holds the model of pristine photos, `niqe.md` says where it comes from.
"""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import scipy
from jax.scipy.special import gammaln

from jaxsr.imaging.arrays import check_are_arrays
from jaxsr.imaging.color import luma, round_to_levels
from jaxsr.imaging.resize import resize
from jaxsr.metrics.image_quality import check_floats
from jaxsr.support.errors import UserError
from jaxsr.support.types import AnyArray

BLOCK = 96  # pixels of a block's side
MIN_BLOCKS = 2  # of which a covariance can be taken
_RADIUS, _SIGMA = 3, 7 / 6  # of the Gaussian window
_TAPS = np.exp(-(np.arange(-_RADIUS, _RADIUS + 1) ** 2) / (2 * _SIGMA**2))
_TAPS = _TAPS / _TAPS.sum()
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows and columns to the neighbours whose products count
_STEP = 2.0**-13  # levels: the reduced photo is rounded to it, so that flat areas are flat in single precision


def niqe(images: AnyArray) -> AnyArray | float:
    """Return NIQE, the natural image quality evaluator: lower is better, sharp photos have about 2 to 5.

    Example: `jaxsr.metrics.niqe(jaxsr.restore(photo, "fsrcnn-x2")[None] / 255)` has the shape (1,). No reference is
    needed. The luma, rounded to 8 bits, is taken in blocks of 96x96 pixels from the top left; what is left at the
    bottom and right does not count. On MATLAB's example (baboon of Set14) it is 5.7296, as published. Pixels whose
    surroundings are exactly flat count as neither darker nor brighter than these. Source: Mittal et al., "Making a
    completely blind image quality analyzer", IEEE Signal Processing Letters 20(3), 2013.

    Args:
        images: photos (N, H, W, C), or one (H, W, C), in [0, 1], C 1 or 3; at least 96 pixels a side, and 192 on one.

    Returns:
        The index, of shape (N,) or (), a float for NumPy arrays of one image; NaN where fewer than two blocks have any
        texture.

    Raises:
        UserError: where photos are too small, or not of the shape of images, for integers, which are levels, and for
            lists.
    """
    check_are_arrays(images=images)
    check_niqe_size(images.shape)
    check_floats(images)
    height, width = (size - size % BLOCK for size in images.shape[-3:-1])
    batch = jnp.asarray(images)[..., :height, :width, :]
    batch = batch if images.ndim == 4 else batch[None]
    scores = _niqe(batch.astype(jnp.float32))
    if isinstance(images, np.ndarray):
        return np.asarray(scores) if images.ndim == 4 else float(scores[0])
    return scores if images.ndim == 4 else scores[0]


def check_niqe_size(shape: tuple[int, ...]) -> None:
    """Raise UserError unless images of `shape` can be scored by `niqe`."""
    if len(shape) not in (3, 4) or shape[-1] not in (1, 3):
        raise UserError(f"images have the shape (H, W, C) or (N, H, W, C), C 1 or 3; got {shape}")
    height, width = shape[-3:-1]
    if (height // BLOCK) * (width // BLOCK) < MIN_BLOCKS:
        raise UserError(
            f"{width}x{height} pixels are too small for NIQE, which needs {MIN_BLOCKS} blocks of {BLOCK}x{BLOCK}; "
            f"leave this photo or NIQE out"
        )


@jax.jit
def _niqe(images: jax.Array) -> jax.Array:
    """Return NIQE (N,) of `images` (N, H, W, C) whose sides are multiples of BLOCK."""
    y = round_to_levels(luma(images)) * 255
    reduced = jnp.round(resize(y, 0.5) / _STEP) * _STEP
    features = jnp.concatenate([_features(y[..., 0], BLOCK), _features(reduced[..., 0], BLOCK // 2)], axis=-1)
    return jax.vmap(_distance)(features)


def _distance(features: jax.Array) -> jax.Array:
    """Return the distance of a photo's `features` (blocks, 36) from the pristine model (equation 10).

    It is computed where the pristine covariance is the identity, which keeps single precision accurate.
    """
    mean, whitening = _pristine()
    offsets = features - jnp.asarray(mean)[None]
    whole = jnp.isfinite(offsets).all(axis=1)
    product = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)
    white = product(jnp.where(whole[:, None], offsets, 0), jnp.asarray(whitening).T)
    count = whole.sum()
    centred = jnp.where(whole[:, None], white - white.sum(axis=0, keepdims=True) / jnp.maximum(count, 1), 0)
    covariance = product(centred.T, centred) / jnp.maximum(count - 1, 1)
    centre = product(jnp.asarray(whitening), jnp.nanmean(offsets, axis=0))
    both = (jnp.eye(len(centre), dtype=covariance.dtype) + covariance) / 2
    return jnp.where(count >= MIN_BLOCKS, jnp.sqrt(centre @ jnp.linalg.solve(both, centre)), jnp.nan)


@functools.cache
def _pristine() -> tuple[np.ndarray, np.ndarray]:
    """Return the features' mean on pristine photos, and the matrix that makes their covariance the identity."""
    with np.load(Path(__file__).with_suffix(".npz")) as file:
        mean, covariance = file["mu_pris_param"][0], file["cov_pris_param"]
    return mean.astype(np.float32), np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32)


def _features(y: jax.Array, side: int) -> jax.Array:
    """Return the 18 features (N, blocks, 18) of each block of `y` (N, H, W) with `side` pixels a side (section II)."""
    count, height, width = y.shape
    rows, columns = height // side, width // side
    blocks = _normalized(y).reshape(count, rows, side, columns, side).swapaxes(2, 3)
    blocks = blocks.reshape(count, rows * columns, side, side)
    products = [blocks * jnp.roll(blocks, shift, axis=(2, 3)) for shift in _SHIFTS]
    shape, left, right = _fit(jnp.stack([blocks, *products]))
    mean = (right - left) * jnp.exp(gammaln(2 / shape) - gammaln(1 / shape))
    features = [shape[0], (left[0] + right[0]) / 2]
    for i in range(1, 1 + len(_SHIFTS)):
        features += [shape[i], mean[i], left[i], right[i]]
    return jnp.stack(features, axis=-1)


def _normalized(y: jax.Array) -> jax.Array:
    """Return (y - local mean) / (local deviation + 1), equation 1, with repeated border pixels.

    Means are taken of differences, and squares about the means: flat areas give exactly 0, and no digits are lost.
    """
    row_mean, row_variance = _moments(y, jnp.zeros_like(y), axis=2)
    mean, variance = _moments(row_mean, row_variance, axis=1)
    return (y - mean) / (jnp.sqrt(variance) + 1)


def _moments(means: jax.Array, variances: jax.Array, axis: int) -> tuple[jax.Array, jax.Array]:
    """Return mean and variance of the window along `axis`, of what has `means` and `variances` (N, H, W)."""
    pad = [(_RADIUS, _RADIUS) if i == axis else (0, 0) for i in range(means.ndim)]
    means_padded, variances_padded = (jnp.pad(x, pad, mode="edge") for x in (means, variances))

    def taps(x: jax.Array) -> list[jax.Array]:
        return [jax.lax.slice_in_dim(x, i, i + means.shape[axis], axis=axis) for i in range(len(_TAPS))]

    weights = _TAPS.tolist()
    offset = jnp.sum(jnp.stack([w * (x - means) for w, x in zip(weights, taps(means_padded), strict=True)]), axis=0)
    mean = means + offset
    squares = [
        w * (v + (x - mean) ** 2) for w, x, v in zip(weights, taps(means_padded), taps(variances_padded), strict=True)
    ]
    return mean, jnp.sum(jnp.stack(squares), axis=0)


def _fit(blocks: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return shape and left and right scale, each (...), that fit `blocks` (..., S, S) (equation 4).

    An asymmetric generalized Gaussian by Lasmar et al.'s moment matching, with the shape on the release's
    grid. A block without values on one side of 0 has the grid's first shape and no scales (NaN).
    """
    squares = blocks**2
    left, right = (
        jnp.sqrt(jnp.sum(jnp.where(side, squares, 0), axis=(-2, -1)) / jnp.sum(side, axis=(-2, -1)))
        for side in (blocks < 0, blocks > 0)
    )
    ratio = left / right
    moments = jnp.abs(blocks).mean(axis=(-2, -1)) ** 2 / squares.mean(axis=(-2, -1))
    target = moments * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shapes, ratios = _grid()
    above = jnp.clip(jnp.searchsorted(ratios, target), 1, len(ratios) - 1)
    nearest = jnp.where(
        target - jnp.asarray(ratios)[above - 1] <= jnp.asarray(ratios)[above] - target, above - 1, above
    )
    shape = jnp.asarray(shapes)[jnp.where(jnp.isnan(target), 0, nearest)]
    scale = jnp.exp((gammaln(1 / shape) - gammaln(3 / shape)) / 2)
    return shape, left * scale, right * scale


@functools.cache
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Return the shapes 0.2, 0.201 to 10, and the ratio of moments of each, which grows with the shape."""
    shapes = 0.2 + 0.001 * np.arange(9801)
    ratios = np.exp(
        2 * scipy.special.gammaln(2 / shapes) - scipy.special.gammaln(1 / shapes) - scipy.special.gammaln(3 / shapes)
    )
    return shapes.astype(np.float32), ratios.astype(np.float32)
