"""Convolution with a stride, of blocks of pixels: one convolution, or a matrix product for each neighbouring block.

A convolution of blocks that does what 3 weights at stride 2 do has 16 weights, of which 7 are 0; the products have the
9 alone. Measured for jax 0.10 (benchmarks/README.md): with many channels they are up to three times as fast on a CPU.
"""

import functools
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.convolution import Initializer, convolve
from jaxsr.models.ops.layers import space_to_depth, uniform

MANY = 1 << 12  # channels times features from which products are faster
FEW = 1 << 13  # pixels of the result up to which they are faster without gradients, too


class StridedConv(nn.Module):
    """A convolution with a kernel of `size`, zero padding and a `stride`.

    The kernel starts size // 2 pixels before each block. The weights keep the plain layout (size, size, in,
    features). XLA's own strided convolution is, on a CPU, 3 times slower and its gradient 2 to 5 times.
    """

    features: int
    size: int
    stride: int
    use_bias: bool = True
    kernel_init: Initializer = uniform

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, H, W, features) from `x` (N, stride H, stride W, C)."""
        shape = (self.size, self.size, x.shape[-1], self.features)
        x = convolve_strided(x, self.param("kernel", self.kernel_init, shape, jnp.float32), self.stride)
        if self.use_bias:
            x = x + self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32).reshape(1, 1, 1, -1)
        return x


def convolve_strided(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Return the correlation (N, H, W, O) of every `stride`-th pixel of `x` (N, stride H, stride W, C) with `kernel`.

    The `kernel` (K, K, C, O) starts K // 2 pixels before each of these.
    """
    size, _, channels, features = kernel.shape
    together = functools.partial(_blocks_together, stride=stride)
    if size % stride == 0 or size < stride or channels * features < MANY:
        return together(x, kernel)
    return jax.lax.platform_dependent(x, kernel, cpu=functools.partial(_blocks_apart, stride=stride), default=together)


def _blocks_together(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Return `convolve_strided` as one convolution of blocks."""
    return convolve(space_to_depth(x, stride), *block_kernel(kernel, stride))


def block_kernel(kernel: jax.Array, stride: int) -> tuple[jax.Array, tuple[int, int]]:
    """Return the kernel (T, T, stride² in, out) and the padding that do on blocks what `kernel` does at that stride.

    Weight t of `kernel` (K, K, in, out), padded by K // 2, reads pixel t - K // 2 from a block's first, which lies in
    block (t - K // 2) // stride. Exact.
    """
    size, _, channels, features = kernel.shape
    first, last = _reach(size, stride)
    taps = last - first + 1
    before = -first * stride - size // 2
    ends = (before, taps * stride - size - before)
    kernel = jnp.pad(kernel, (ends, ends, (0, 0), (0, 0)))
    kernel = kernel.reshape(taps, stride, taps, stride, channels, features).transpose(0, 2, 1, 3, 4, 5)
    return kernel.reshape(taps, taps, stride**2 * channels, features), (-first, last)


def _reach(size: int, stride: int) -> tuple[int, int]:
    """Return the first and the last block that a kernel meets, counted from its own."""
    return -(size // 2) // stride, (size - 1 - size // 2) // stride


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _blocks_apart(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Return `convolve_strided` with gradients by products, and itself by products where it is small."""
    pixels = x.size // x.shape[-1] // stride**2
    few = isinstance(pixels, int) and pixels <= FEW  # no number where a network is exported for photos of any size
    return (_by_products if few else _blocks_together)(x, kernel, stride)


def _apart_saving(x: jax.Array, kernel: jax.Array, stride: int) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _blocks_apart(x, kernel, stride), (x, kernel)


def _apart_backward(stride: int, saved: tuple[jax.Array, jax.Array], g: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.vjp(functools.partial(_by_products, stride=stride), *saved)[1](g)


_blocks_apart.defvjp(_apart_saving, _apart_backward)


def _by_products(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Return `convolve_strided` as a matrix product for each neighbouring block, of those of its pixels that count."""
    n, height, width, channels = (x.shape[0], x.shape[1] // stride, x.shape[2] // stride, x.shape[3])
    size = len(kernel)
    first, last = _reach(size, stride)
    ends = (-first * stride, last * stride)
    blocks = space_to_depth(jnp.pad(x, ((0, 0), ends, ends, (0, 0))), stride)
    blocks = blocks.reshape(*blocks.shape[:3], stride, stride, channels)
    met = [(block - first, *_weights_of(size, stride, block)) for block in range(first, last + 1)]
    y = jnp.zeros((n * height * width, kernel.shape[-1]), x.dtype)
    for (i, rows, phases), (j, columns, column_phases) in itertools.product(met, repeat=2):
        weights = kernel[rows, columns]
        part = blocks[:, i : i + height, j : j + width, phases, column_phases].reshape(len(y), -1)
        y = y + part @ weights.reshape(part.shape[1], -1)
    return y.reshape(n, height, width, -1)


def _weights_of(size: int, stride: int, block: int) -> tuple[slice, slice]:
    """Return which of `size` weights fall into a neighbouring `block`, and on which of its pixels."""
    start = max(0, block * stride + size // 2)
    stop = min(size, (block + 1) * stride + size // 2)
    pixel = start - size // 2 - block * stride
    return slice(start, stop), slice(pixel, pixel + stop - start)
