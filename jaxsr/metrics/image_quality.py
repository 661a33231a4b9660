"""PSNR and SSIM: in double precision on the host, where published scores are made, or in jax.numpy on the device."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import scipy

from jaxsr.imaging.arrays import Array, check_are_arrays, floats_of
from jaxsr.support.errors import UserError
from jaxsr.support.types import AnyArray

SIDE = 11  # pixels of SSIM's Gaussian window
_TAPS = np.exp(-(np.arange(-(SIDE // 2), SIDE // 2 + 1) ** 2) / (2 * 1.5**2))
_TAPS = _TAPS / _TAPS.sum()
_C1, _C2 = 0.01**2, 0.03**2


def psnr(a: AnyArray, b: AnyArray) -> AnyArray | float:
    """Return the PSNR, 10 log10(1 / MSE) in dB: one number for an image, one for each of a batch.

    Example: `jaxsr.metrics.psnr(model(lr), hr)` has the shape (N,). Jit-able and differentiable; the gradient of equal
    images is 0. JAX arrays are computed in their own precision, equal to double precision to 1e-6 of the value; two
    NumPy arrays in double precision, which gives a float, or an array for batches.

    Args:
        a: images (N, H, W, C), or one (H, W, C), in [0, 1], not rounded or clipped here.
        b: images of the same shape.

    Returns:
        dB, of shape (N,) or (); infinite where the images are equal, NaN where one has a NaN.

    Raises:
        UserError: where the shapes differ, or are not those of images, for integers, which are levels, and for lists.
    """
    check_shapes(a, b)
    check_floats(a, b)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _each(_psnr_on_host, a, b)
    a, b = _as_floats(a), _as_floats(b)
    error = _mean((a - b) ** 2)
    equal = error == 0  # and not `error > 0`: NaN stays NaN
    safe = jnp.where(equal, 1, error)  # log's gradient at 0 would be NaN, even where it is not chosen
    return jnp.where(equal, jnp.inf, -10 * jnp.log10(safe))


def ssim(a: AnyArray, b: AnyArray) -> AnyArray | float:
    """Return the SSIM of Wang et al. (2004), mean over channels: one number for an image, one for each of a batch.

    Example: `1 - jaxsr.metrics.ssim(model(lr), hr).mean()` is a loss. 11x11 Gaussian window with sigma 1.5, K1 = 0.01,
    K2 = 0.03, valid positions only, biased covariance. Jit-able and differentiable. JAX arrays are computed in their
    own precision, equal to double precision to 1e-6; two NumPy arrays in double precision, as for `psnr`.

    Args:
        a: images (N, H, W, C), or one (H, W, C), in [0, 1]; H and W are at least 11.
        b: images of the same shape.

    Returns:
        The index, at most 1, of shape (N,) or ().

    Raises:
        UserError: where the shapes differ, are not those of images, or have no valid position, for integers, and for
            lists.
    """
    check_shapes(a, b)
    check_floats(a, b)
    if min(a.shape[-3:-1]) < SIDE:
        raise UserError(f"SSIM needs at least {SIDE}x{SIDE} pixels after the border is cut; got {a.shape[-3:-1]}")
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _each(_ssim_on_host, a, b)
    mean_a, mean_b, var_a, var_b, covariance = _moments(_as_floats(a), _as_floats(b))
    return _mean(_index(mean_a, mean_b, var_a, var_b, covariance))


def _index(mean_a: Array, mean_b: Array, var_a: Array, var_b: Array, covariance: Array) -> Array:
    """Return SSIM at each position, from the moments of two images in its window."""
    index = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    return index / ((mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2))


@jax.custom_jvp
def _moments(a: jax.Array, b: jax.Array) -> tuple[jax.Array, ...]:
    """Return means, variances and covariance of `a` and `b` (..., H, W, C) in each window.

    E[x²] - E[x]² would lose all digits of a small variance in single precision. So squares are taken about the means:
    first along the rows, then along the columns, where the variance of the rows' means comes on top.
    """
    rows = [_local_mean(x, -2) for x in (a, b)]
    means = [_local_mean(x, -3) for x in rows]

    def spread(i: int, j: int) -> jax.Array:
        x, y = (a, b)[i], (a, b)[j]
        within = _centred_product(x, rows[i], y, rows[j], -2)
        return _local_mean(within, -3) + _centred_product(rows[i], means[i], rows[j], means[j], -3)

    return *means, spread(0, 0), spread(1, 1), spread(0, 1)


def _plain_moments(a: jax.Array, b: jax.Array) -> tuple[jax.Array, ...]:
    """Return what `_moments` does but for rounding."""
    mean_a, mean_b, a_a, b_b, a_b = (_local_mean(_local_mean(x, -2), -3) for x in (a, b, a * a, b * b, a * b))
    return mean_a, mean_b, a_a - mean_a**2, b_b - mean_b**2, a_b - mean_a * mean_b


@_moments.defjvp
def _moments_jvp(images: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]) -> tuple[tuple, tuple]:
    """Return the moments and their derivative: matrix products, 4 times as fast as through the centred squares."""
    return _moments(*images), jax.jvp(_plain_moments, images, tangents)[1]


def _local_mean(x: jax.Array, axis: int) -> jax.Array:
    """Return the Gaussian mean of each valid window along `axis`, -2 or -3, of `x` (..., H, W, C)."""
    equation = "mw,...hwc->...hmc" if axis == -2 else "mh,...hwc->...mwc"
    matrix = jnp.asarray(_band(x.shape[axis]), x.dtype)
    return jnp.einsum(equation, matrix, x, precision=jax.lax.Precision.HIGHEST)


def _centred_product(x: jax.Array, mean_x: jax.Array, y: jax.Array, mean_y: jax.Array, axis: int) -> jax.Array:
    """Return the Gaussian mean of (x - mean_x) (y - mean_y) in each valid window along `axis`."""
    total, count = jnp.zeros_like(mean_x), mean_x.shape[axis]
    for i, weight in enumerate(_TAPS.tolist()):
        at_x, at_y = (jax.lax.slice_in_dim(z, i, i + count, axis=z.ndim + axis) for z in (x, y))
        total = total + weight * (at_x - mean_x) * (at_y - mean_y)
    return total


@functools.lru_cache(maxsize=64)
def _band(size: int) -> np.ndarray:
    """Return the matrix (size - 10, size) whose rows are the Gaussian window at each valid position."""
    return np.sum([weight * np.eye(size - SIDE + 1, size, i) for i, weight in enumerate(_TAPS)], axis=0)


def _mean(x: jax.Array) -> jax.Array:
    """Return the mean of each image, summed in two steps: millions of float32 in one sum lose digits."""
    return x.mean(axis=-2).mean(axis=(-2, -1))


def _as_floats(x: AnyArray) -> jax.Array:
    x = jnp.asarray(x)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _each(score: Callable[[np.ndarray, np.ndarray], float], a: np.ndarray, b: np.ndarray) -> np.ndarray | float:
    """Return `score` of two images, or the scores (N,) of two batches."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return score(a, b) if a.ndim == 3 else np.array([score(x, y) for x, y in zip(a, b, strict=True)])


def _psnr_on_host(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a - b) ** 2)
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def _ssim_on_host(a: np.ndarray, b: np.ndarray) -> float:
    mean_a, mean_b = _gaussian(a), _gaussian(b)
    var_a, var_b = _gaussian(a * a) - mean_a**2, _gaussian(b * b) - mean_b**2
    return float(np.mean(_index(mean_a, mean_b, var_a, var_b, _gaussian(a * b) - mean_a * mean_b)))


def _gaussian(image: np.ndarray) -> np.ndarray:
    """Return the Gaussian local mean at valid positions; separable, so two passes of 11 taps."""
    rows = scipy.ndimage.correlate1d(image, _TAPS, axis=0)[SIDE // 2 : -(SIDE // 2)]
    return scipy.ndimage.correlate1d(rows, _TAPS, axis=1)[:, SIDE // 2 : -(SIDE // 2)]


def check_shapes(a: AnyArray, b: AnyArray) -> None:
    """Raise UserError unless both are images of one shape, with pixels."""
    check_are_arrays(a=a, b=b)
    if a.shape != b.shape:
        raise UserError(f"cannot compare shapes {a.shape} and {b.shape}; they must be equal")
    if a.ndim not in (3, 4):
        raise UserError(f"images have the shape (H, W, C) or (N, H, W, C); got {a.shape}")
    if 0 in a.shape[-3:]:
        raise UserError(f"images of shape {a.shape} have no pixels; give ones of 1x1x1 or more")


def check_floats(*images: AnyArray) -> None:
    """Raise UserError for images of integers: their levels would be taken for values in [0, 1]."""
    for image in images:
        if not jnp.issubdtype(image.dtype, jnp.floating):
            raise UserError(f"images are floats in [0, 1]; got {image.dtype}; {floats_of(image.dtype)}")
