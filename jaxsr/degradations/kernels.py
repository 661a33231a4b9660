"""Gaussian blur kernels of blind super-resolution, and the principal components that describe them by few numbers.

Kernels are squares (N, k, k) that sum to 1, in correlation orientation, centred at k // 2, where `blur` has the centre.
Source: Luo et al., "Unfolding the Alternating Optimization for Blind Super Resolution", NeurIPS 2020, section 4.1.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.support.types import Key

Range = tuple[float, float]

# Standard deviations in pixels of the HR photo. Setting 1 trains on isotropic kernels; Gaussian8 tests it.
ISOTROPIC_WIDTHS: dict[int, Range] = {2: (0.2, 2.0), 3: (0.2, 3.0), 4: (0.2, 4.0)}
GAUSSIAN8_WIDTHS: dict[int, Range] = {2: (0.80, 1.60), 3: (1.35, 2.40), 4: (1.80, 3.20)}
# With these widths the bicubic rows of IKC and DAN come out to 0.03 dB, if scored by the protocol "y-full". At x2 they
# are the last 8 in steps of 0.1; Gaussian8's own at x3 and x4 have whole steps, of 0.15 and 0.2.
GAUSSIAN8_IKC_WIDTHS: dict[int, Range] = GAUSSIAN8_WIDTHS | {2: (0.90, 1.60)}
ANISOTROPIC_WIDTHS: Range = (0.6, 5.0)  # setting 2, at every scale
ANISOTROPIC_NOISE = 0.25
DIV2KRK_SIZES: dict[int, int] = {2: 11, 4: 31}
PCA_KERNELS = 30_000  # from which the authors computed their bases
PCA_WIDTHS: Range = (0.2, 4.0)  # of those of setting 1: their published basis spans this range at every scale


def isotropic_kernels(widths: jax.Array, size: int) -> jax.Array:
    """Return exp(-r² / 2σ²) at whole-pixel offsets, divided by its sum: (N, size, size) for `widths` σ (N,)."""
    y, x = _offsets(size)
    return _normalized(-(y**2 + x**2) / (2 * widths.reshape(-1, 1, 1) ** 2))


def anisotropic_kernels(widths: jax.Array, angles: jax.Array, size: int) -> jax.Array:
    """Return exp(-zᵀ D⁻¹ z / 2), divided by its sum: (N, size, size).

    `widths` (N, 2) are the standard deviations along the two axes. The first axis points `angles` (N,) radians from
    the right, towards the bottom.
    """
    y, x = _offsets(size)
    first, second = (widths[:, i].reshape(-1, 1, 1) for i in range(2))
    cos, sin = (f(angles).reshape(-1, 1, 1) for f in (jnp.cos, jnp.sin))
    along, across = cos * x + sin * y, cos * y - sin * x
    return _normalized(-((along / first) ** 2 + (across / second) ** 2) / 2)


def draw_isotropic(key: Key, count: int, *, size: int = 21, widths: Range) -> jax.Array:
    """Return `count` isotropic kernels (count, size, size) with σ uniform in `widths`: setting 1."""
    return isotropic_kernels(jax.random.uniform(key, (count,), minval=widths[0], maxval=widths[1]), size)


def draw_anisotropic(
    key: Key,
    count: int,
    *,
    size: int,
    widths: Range = ANISOTROPIC_WIDTHS,
    noise: float = ANISOTROPIC_NOISE,
) -> jax.Array:
    """Return `count` kernels (count, size, size), both σ uniform in `widths`, any angle, noisy: setting 2."""
    width_key, angle_key, noise_key = jax.random.split(key, 3)
    drawn = jax.random.uniform(width_key, (count, 2), minval=widths[0], maxval=widths[1])
    angles = jax.random.uniform(angle_key, (count,), minval=-jnp.pi, maxval=jnp.pi)
    return with_noise(noise_key, anisotropic_kernels(drawn, angles, size), noise)


def draw_gaussian8(key: Key, scale: int, size: int, *, widths: Mapping[int, Range] = GAUSSIAN8_WIDTHS) -> jax.Array:
    """Return one of the 8 kernels of `gaussian8_kernels` (size, size)."""
    return gaussian8_kernels(scale, size, widths=widths)[jax.random.randint(key, (), 0, 8)]


def draw_div2krk(key: Key, scale: int) -> jax.Array:
    """Return a random kernel of the test set DIV2KRK for `scale` 2 (11, 11) or 4 (31, 31), centred at k // 2.

    The eigenvalues of the covariance, not their roots, are uniform in [0.6, 5], the angle is any, each entry is changed
    by up to a quarter; for x4 the kernel of x2 is applied twice. Source: Bell-Kligler et al., NeurIPS 2019, section 5.
    """
    width_key, angle_key, noise_key = jax.random.split(key, 3)
    variances = jax.random.uniform(width_key, (1, 2), minval=0.6, maxval=5)
    angles = jax.random.uniform(angle_key, (1,), minval=-jnp.pi, maxval=jnp.pi)
    kernel = anisotropic_kernels(jnp.sqrt(variances), angles, DIV2KRK_SIZES[2])[0]
    kernel = kernel * jax.random.uniform(noise_key, kernel.shape, minval=0.75, maxval=1.25)
    kernel = _applied_twice(kernel) if scale == 4 else kernel
    return kernel / kernel.sum()


def applied_twice(kernel: np.ndarray) -> np.ndarray:
    """Return the kernel (3 k - 2, 3 k - 2) that reducing by 2 twice with `kernel` (k, k) amounts to, for scale 4.

    That is the kernel spread to twice its distances, correlated with itself.
    """
    size = len(kernel)
    whole = np.zeros((3 * size - 2, 3 * size - 2))
    for row, column in np.ndindex(size, size):
        whole[2 * row : 2 * row + size, 2 * column : 2 * column + size] += kernel[row, column] * kernel
    return whole


def _applied_twice(kernel: jax.Array) -> jax.Array:
    """Return what `applied_twice` does, on the device and in single precision."""
    size = 2 * len(kernel) - 1
    spread = jnp.zeros((size, size)).at[::2, ::2].set(kernel)
    return jax.scipy.signal.convolve(spread, kernel, precision=jax.lax.Precision.HIGHEST)


def with_noise(key: Key, kernels: jax.Array, noise: float) -> jax.Array:
    """Return `kernels` (N, k, k) with each pixel enlarged by a random share up to `noise`, again of sum 1."""
    kernels = kernels * jax.random.uniform(key, kernels.shape, minval=1, maxval=1 + noise)
    return kernels / kernels.sum(axis=(1, 2), keepdims=True)


def gaussian8_kernels(scale: int, size: int = 21, *, widths: Mapping[int, Range] = GAUSSIAN8_WIDTHS) -> jax.Array:
    """Return the 8 isotropic test kernels (8, size, size) of `scale`, from narrow to wide, evenly spaced in σ."""
    return isotropic_kernels(jnp.linspace(*of_scale(widths, scale), 8), size)


def of_scale(widths: Mapping[int, Range], scale: int) -> Range:
    """Return the widths of `scale`, or raise UserError where the paper has none."""
    if scale not in widths:
        raise UserError(f"no kernel widths for scale {scale}; choose one of: {', '.join(map(str, widths))}")
    return widths[scale]


def delta_kernel(size: int) -> jax.Array:
    """Return the kernel (size, size) that changes nothing: 1 at its centre, size // 2."""
    return jnp.zeros((size, size)).at[size // 2, size // 2].set(1)


def pca_basis(kernels: jax.Array, components: int) -> jax.Array:
    """Return the first principal components (k², components) of `kernels` (N, k, k), as orthonormal columns.

    They are the right singular vectors of the centred kernels, strongest first; the sign is that of each column's
    largest entry. A kernel's code is vec(k) P, without subtracting the mean: the authors' choice.
    """
    flat = kernels.reshape(len(kernels), -1)
    centred = flat - flat.mean(axis=0, keepdims=True)
    # Not from the covariance: its eigenvalues span 8 orders of magnitude, beyond float32. R has the same vectors.
    triangle = jnp.linalg.qr(centred, mode="r")
    basis = jnp.linalg.svd(triangle, full_matrices=False)[2][:components].T
    largest = jnp.take_along_axis(basis, jnp.abs(basis).argmax(axis=0, keepdims=True), axis=0)
    return basis * jnp.sign(largest)


def _offsets(size: int) -> tuple[jax.Array, jax.Array]:
    """Return the vertical and horizontal distances (1, size, 1) and (1, 1, size) from the centre, a pixel.

    Between two pixels, in the middle of an even frame, it would move photos by half a pixel.
    """
    offsets = jnp.arange(size, dtype=jnp.float32) - size // 2
    return offsets.reshape(1, -1, 1), offsets.reshape(1, 1, -1)


def _normalized(logarithm: jax.Array) -> jax.Array:
    """Return exp(`logarithm`) (N, k, k) divided by its sum."""
    return jax.nn.softmax(logarithm.reshape(len(logarithm), -1)).reshape(logarithm.shape)
