"""The reduction of a photo by a known kernel, its ideal kernel, and the correction of an enlargement by it.

Source: Shocher et al., CVPR 2018, section 3; the numeric downscale that comes with it and with KernelGAN.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.degradations.blurring import blur
from jaxsr.degradations.centering import centre_kernel
from jaxsr.imaging.resize import output_size, resize, resize_matrix


def downscale(images: jax.Array, kernels: jax.Array, scale: int) -> jax.Array:
    """Return (N, ceil(H / scale), ceil(W / scale), C), every `scale`-th pixel of `images` (N, H, W, C) after the blur.

    `kernels` (N, k, k), one for each photo, carry the shift of half a block (`centre_kernel`); photos go on beyond
    their border in its mirror, the outermost pixel twice. Where `scale` does not divide a side, the kept pixels are
    spread from the first to the last block's, and rounded.
    """
    blurred = blur(images, kernels, border="symmetric")
    for axis in (1, 2):
        blurred = jnp.take(blurred, kept_pixels(images.shape[axis], scale), axis=axis)
    return blurred


def kept_pixels(size: int, scale: int) -> np.ndarray:
    """Return which of `size` pixels of a row the reduction keeps (ceil(size / scale),)."""
    return np.rint(np.linspace(0, size - scale, output_size(size, 1 / scale))).astype(int)


def ideal_kernel(scale: int) -> np.ndarray:
    """Return MATLAB's antialiased bicubic reduction by `scale` as a kernel (k, k), centred for `downscale`."""
    reach, middle = 5 * scale // 2 - 1, 8
    row = resize_matrix(2 * middle * scale, 2 * middle, 1 / scale)[middle]
    taps = row[middle * scale - reach : middle * scale + reach + 1]
    return np.outer(taps, taps)


def fitted_kernel(kernel: np.ndarray, scale: int) -> np.ndarray:
    """Return `kernel` (k, k) centred for `downscale`, on an odd frame that is wide enough, with sum 1."""
    kernel = np.pad(kernel, (0, 1 - len(kernel) % 2))  # an even frame has no pixel in its middle to shift from
    centred = centre_kernel(kernel, scale)
    return centred / centred.sum()


def back_project(images: jax.Array, lr: jax.Array, kernels: jax.Array, scale: int, *, rounds: int) -> jax.Array:
    """Return `images` (N, scale H, scale W, C), corrected so that `kernels` (N, k, k) reduce them to `lr`.

    Each round adds the bicubic enlargement of what the reduction still differs by from `lr` (N, H, W, C).
    Source: Irani and Peleg, "Improving resolution by image registration", CVGIP 1991; ZSSR, section 3.2.
    """
    for _ in range(rounds):
        images = images + resize(lr - downscale(images, kernels, scale), scale)
    return images
