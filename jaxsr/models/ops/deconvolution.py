"""Transposed convolution: one convolution for all output phases, or one for each where that saves products with 0.

With 3 weights and stride 2 the four phases of a pixel depend on 1, 2, 2 and 4 of the 2x2 input pixels that they reach
together: 9 products of 16. Measured for jax 0.10 (benchmarks/README.md): on a CPU, with many channels, one for each is
then faster, also by OpenVINO in an exported network.
"""

import functools
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.convolution import Initializer, convolve
from jaxsr.models.ops.layers import depth_to_space

MANY = 1 << 13  # channels times features from which a convolution for each phase is faster


class Deconvolution(nn.Module):
    """A transposed convolution that multiplies height and width by `stride`.

    Input pixel i adds its value times weight t to output pixel `stride` i + t - `crop`. The weights keep the
    transposed layout (height, width, in, out); XLA's own transposed convolution is several times slower.
    """

    features: int
    kernel_size: int
    stride: int
    crop: int
    use_bias: bool = True
    kernel_init: Initializer = nn.initializers.he_normal()

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, stride H, stride W, features) from `x` (N, H, W, C)."""
        shape = (self.kernel_size, self.kernel_size, x.shape[-1], self.features)
        x = deconvolve(x, self.param("kernel", self.kernel_init, shape, jnp.float32), self.stride, self.crop)
        if self.use_bias:
            x = x + self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32).reshape(1, 1, 1, -1)
        return x


def deconvolve(x: jax.Array, kernel: jax.Array, stride: int, crop: int) -> jax.Array:
    """Return the transposed convolution (N, stride H, stride W, O) of `x` (N, H, W, C) with `kernel` (K, K, C, O)."""
    size, _, channels, features = kernel.shape
    together = functools.partial(_phases_together, stride=stride, crop=crop)
    if size % stride == 0 or size < stride or channels * features < MANY:
        return together(x, kernel)
    apart = functools.partial(_phases_apart, stride=stride, crop=crop)
    return jax.lax.platform_dependent(x, kernel, cuda=together, rocm=together, tpu=together, default=apart)


def _phases_together(x: jax.Array, kernel: jax.Array, stride: int, crop: int) -> jax.Array:
    """Return `deconvolve` as one convolution that gives all output phases of a pixel, and a shuffle."""
    height, width = (side * stride for side in x.shape[1:3])
    shift = cheapest_shift(kernel.shape[0], stride, crop)
    if shift:  # one more block, so that the last pixels exist after the shift
        x = jnp.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
    x = convolve(x, *subpixel_kernel(kernel, stride, crop - shift))
    return depth_to_space(x, stride)[:, shift : shift + height, shift : shift + width]


def cheapest_shift(size: int, stride: int, crop: int) -> int:
    """Return by how many pixels to shift the result of a transposed convolution so that it needs fewer taps.

    At stride 3, 9 weights cropped by 4 reach 4 input pixels; cropped by 3 they reach 3.
    """
    shift = crop % stride
    return shift if _taps(size, stride, crop - shift)[2] < _taps(size, stride, crop)[2] else 0


def _taps(size: int, stride: int, crop: int) -> tuple[int, int, int]:
    """Return the first and last input offset that any output phase reaches, and their number."""
    first, last = -((size - 1 - crop) // stride), (crop + stride - 1) // stride
    return first, last, last - first + 1


def subpixel_kernel(kernel: jax.Array, stride: int, crop: int) -> tuple[jax.Array, tuple[int, int]]:
    """Return the convolution kernel (T, T, in, stride² out) equal to a transposed one, and its padding.

    Output phase a and input offset j meet at weight a + crop - stride j of `kernel` (K, K, in, out), zero where
    that lies outside 0..K-1. Exact. Source: specification of FSRCNN, section 5.
    """
    size, _, channels, features = kernel.shape
    first, last, taps = _taps(size, stride, crop)
    before = stride * last - crop
    after = stride * taps - size - before
    kernel = jnp.pad(kernel, ((before, after), (before, after), (0, 0), (0, 0)))
    kernel = kernel.reshape(taps, stride, taps, stride, channels, features)[::-1, :, ::-1]
    kernel = kernel.transpose(0, 2, 4, 1, 3, 5)
    return kernel.reshape(taps, taps, channels, stride**2 * features), (-first, last)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _phases_apart(x: jax.Array, kernel: jax.Array, stride: int, crop: int) -> jax.Array:
    """Return `deconvolve` as a convolution for each output phase, by the weights that it meets."""

    def phase(a: int, b: int) -> jax.Array:
        (rows, row_padding), (columns, column_padding) = (_weights_of(len(kernel), stride, crop, i) for i in (a, b))
        return jax.lax.conv_general_dilated(
            x, kernel[rows, columns], (1, 1), (row_padding, column_padding), dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    n, height, width, _ = x.shape
    rows = [jnp.stack([phase(a, b) for b in range(stride)], axis=3) for a in range(stride)]
    return jnp.stack(rows, axis=2).reshape(n, stride * height, stride * width, -1)


def _weights_of(size: int, stride: int, crop: int, phase: int) -> tuple[slice, tuple[int, int]]:
    """Return which of `size` weights an output phase meets, in the order of the input pixels, and their padding.

    Input pixel j, from the one that the phase belongs to, meets weight phase + crop - stride j.
    """
    least = (phase + crop) % stride
    most = least + (size - 1 - least) // stride * stride
    return slice(most, None, -stride), ((most - phase - crop) // stride, (phase + crop - least) // stride)


def _apart_saving(
    x: jax.Array, kernel: jax.Array, stride: int, crop: int
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _phases_apart(x, kernel, stride, crop), (x, kernel)


def _apart_backward(
    stride: int, crop: int, saved: tuple[jax.Array, jax.Array], g: jax.Array
) -> tuple[jax.Array, jax.Array]:
    return jax.vjp(functools.partial(_by_products, stride=stride, crop=crop), *saved)[1](g)


_phases_apart.defvjp(_apart_saving, _apart_backward)


def _by_products(x: jax.Array, kernel: jax.Array, stride: int, crop: int) -> jax.Array:
    """Return `deconvolve` as a matrix product for each neighbouring input pixel, with the phases that it reaches.

    Its gradients are products as well, twice as fast as those of convolutions.
    """
    n, height, width, channels = x.shape
    first, last, _ = _taps(len(kernel), stride, crop)
    around = jnp.pad(x, ((0, 0), (-first, last), (-first, last), (0, 0)))
    reached = [_phases_of(len(kernel), stride, crop, j) for j in range(first, last + 1)]
    y = jnp.zeros((n, height, width, stride, stride, kernel.shape[-1]), x.dtype)
    for (i, (rows, row_ends)), (j, (columns, column_ends)) in itertools.product(enumerate(reached), repeat=2):
        weights = kernel[rows, columns].transpose(2, 0, 1, 3)
        part = around[:, i : i + height, j : j + width].reshape(-1, channels) @ weights.reshape(channels, -1)
        part = part.reshape(n, height, width, *weights.shape[1:])
        y = y + jnp.pad(part, ((0, 0), (0, 0), (0, 0), row_ends, column_ends, (0, 0)))
    return y.transpose(0, 1, 3, 2, 4, 5).reshape(n, stride * height, stride * width, -1)


def _phases_of(size: int, stride: int, crop: int, j: int) -> tuple[slice, tuple[int, int]]:
    """Return which of `size` weights input pixel `j` meets, by output phases, and how many phases lie on both sides."""
    first, last = max(0, stride * j - crop), min(stride, size - crop + stride * j)
    start = first + crop - stride * j
    return slice(start, start + last - first), (first, stride - last)
