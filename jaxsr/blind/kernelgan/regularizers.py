"""The losses of KernelGAN's generator beside the adversarial one: four regularisers and the bicubic loss.

Bell-Kligler et al., NeurIPS 2019, section 4 and supplementary; constants of the published code. `kernel` is (13, 13).
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.degradations.centering import kernel_centre
from jaxsr.imaging.resize import resize_matrix
from jaxsr.models.kernelgan import KERNEL_SIZE, SCALE

SPARSITY_EXPONENT = 0.2
FREE_BORDER = 2  # pixels at each side of the kernel that ought to be empty
BORDER_PENALTY, BORDER_SIGMA = 30.0, 13.0
SMALLEST_ENTRY = 1e-12  # the gradient of the sparsity is infinite at 0


def sum_to_one(kernel: jax.Array) -> jax.Array:
    """Return |1 - Σk|."""
    return jnp.abs(1 - jnp.sum(kernel))


def boundaries(kernel: jax.Array) -> jax.Array:
    """Return the mean of |k m|; the mask m is 0 except within 2 pixels of the border and grows outwards."""
    return jnp.mean(jnp.abs(kernel * boundary_mask()))


def boundary_mask(size: int = KERNEL_SIZE) -> np.ndarray:
    """Return the mask m (size, size) of `boundaries`."""
    squares = (np.arange(size) - size // 2) ** 2
    mask = BORDER_PENALTY * (1 - np.exp(-(squares[:, None] + squares) / (2 * BORDER_SIGMA**2)))
    mask[FREE_BORDER:-FREE_BORDER, FREE_BORDER:-FREE_BORDER] = 0
    return mask.astype(np.float32)


def centre(kernel: jax.Array) -> jax.Array:
    """Return the mean squared distance, along rows and columns, of the centre of mass from `kernel_centre`."""
    offsets = jnp.arange(kernel.shape[0], dtype=kernel.dtype)
    moments = jnp.stack([offsets @ kernel.sum(axis=1), offsets @ kernel.sum(axis=0)])
    return jnp.mean(jnp.square(moments / jnp.sum(kernel) - kernel_centre(kernel.shape[0], SCALE)))


def sparsity(kernel: jax.Array) -> jax.Array:
    """Return the mean of |k|^0.2."""
    return jnp.mean((jnp.abs(kernel) + SMALLEST_ENTRY) ** SPARSITY_EXPONENT)


def reduce_bicubic(planes: jax.Array) -> jax.Array:
    """Return the bicubic reduction of `planes` (3, H, W) at the positions of the generator's output.

    These are the positions of MATLAB's antialiased reduction without the outermost 3 pixels on each side.
    """
    rows, columns = (_inner_rows(side) for side in planes.shape[1:])
    return jnp.einsum("yh,chw,xw->cyx", rows, planes, columns)


def _inner_rows(size: int) -> np.ndarray:
    cut = (KERNEL_SIZE - 1) // (2 * SCALE)
    return resize_matrix(size, size // SCALE, 1 / SCALE)[cut:-cut].astype(np.float32)


def bicubic_target(planes: jax.Array, *, channel_sum: bool) -> jax.Array:
    """Return the target (3, h, w) of the bicubic loss for `planes` (3, H, W).

    With `channel_sum` each of its planes is the sum of all three reduced planes, as in the published code.
    """
    reduced = reduce_bicubic(planes)
    return jnp.broadcast_to(reduced.sum(axis=0, keepdims=True), reduced.shape) if channel_sum else reduced
