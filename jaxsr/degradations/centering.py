"""Where the centre of a blur kernel lies: one convention for all who estimate, apply or compare kernels.

An LR photo that starts at pixel 0 and keeps every `scale`-th one lies in the middle of its blocks of HR pixels only if
the kernel moves the photo by half a block. Kernels for the reduction "strided" carry that shift; those for "bicubic",
which aligns the photos itself, are centred at k // 2, as for scale 1 and odd k.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import scipy

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
    return scipy.ndimage.shift(np.pad(kernel, pad), shift, order=3)


def centre_kernel(kernel: np.ndarray, scale: int) -> np.ndarray:
    """Return `kernel` (k, k) with its centre of mass at `kernel_centre`, on a frame wide enough (k + 2p, k + 2p)."""
    return move_kernel(kernel, kernel_centre(len(kernel), scale) - centre_of_mass(kernel))


def centre_kernels(kernels: jax.Array, scale: int) -> jax.Array:
    """Return `kernels` (N, k, k), k odd, centred as `centre_kernel` does, of sum 1: (N, k + 2m, k + 2m); jit-able.

    m is `margin(scale)`, enough for kernels whose centre of mass lies less than half a pixel from k // 2.
    """
    return jax.vmap(lambda kernel: _centred(kernel, scale))(kernels)


def margin(scale: int) -> int:
    """Return by how many pixels on each side `centre_kernels` widens a frame: half a block and two."""
    return (scale - 1) // 2 + 2


def _centred(kernel: jax.Array, scale: int) -> jax.Array:
    offsets = jnp.arange(len(kernel), dtype=kernel.dtype)
    centre = jnp.stack([offsets @ kernel.sum(axis=1), kernel.sum(axis=0) @ offsets]) / kernel.sum()
    frame = jnp.pad(kernel, margin(scale))
    rows, columns = (spline_shift_matrix(shift, len(frame)) for shift in kernel_centre(len(kernel), scale) - centre)
    moved = jnp.einsum("ij,jk,lk->il", rows, frame, columns, precision=jax.lax.Precision.HIGHEST)
    return moved / moved.sum()


def spline_shift_matrix(shift: jax.Array, size: int) -> jax.Array:
    """Return the matrix (size, size) that moves a line of samples by `shift`, as `ndimage.shift` of order 3 does."""
    places = jnp.arange(size, dtype=jnp.float32) - shift
    knots = jnp.arange(-2, size + 2, dtype=jnp.float32)
    distances = jnp.abs(places.reshape(-1, 1) - knots.reshape(1, -1))
    near, far = 2 / 3 - distances**2 + distances**3 / 2, jnp.maximum(2 - distances, 0) ** 3 / 6
    weights = jnp.where(distances < 1, near, far)
    inside = (places >= 0) & (places <= size - 1)
    return jnp.matmul(
        jnp.where(inside.reshape(-1, 1), weights, 0), _spline_coefficients(size), precision=jax.lax.Precision.HIGHEST
    )


@functools.cache
def _spline_coefficients(size: int) -> np.ndarray:
    """Return the matrix (size + 4, size) from samples to the coefficients of the cubic spline through them.

    Two coefficients on each side come from the mirror at the border.
    """
    inner = scipy.ndimage.spline_filter1d(np.eye(size), order=3, axis=0)
    return np.pad(inner, ((2, 2), (0, 0)), mode="reflect").astype(np.float32)
