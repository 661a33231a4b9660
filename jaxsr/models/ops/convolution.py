"""Convolution with stride 1, computed in other ways where XLA's own is slow on a CPU. Same weights, same results.

Measured for jax 0.10 (benchmarks/README.md): without padding XLA is 8 times slower than with, at 1x1 twice slower
than a matrix product, with few channels a third slower than two columns at once; for the kernel's gradient see
`kernel_gradient`. GPUs get XLA's own.
"""

import functools
from collections.abc import Callable
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.kernel_gradient import kernel_gradient
from jaxsr.support.errors import choose

Initializer: TypeAlias = Callable[..., jax.Array]  # (key, shape, dtype) -> weights
Padding: TypeAlias = tuple[int, int]  # zeros before and after, in both dimensions

# name -> (whether the convolution itself pads with zeros, how the input is padded else)
PADDINGS = {"zero": (True, ""), "replicate": (False, "edge"), "reflect": (False, "reflect"), "valid": (False, "")}


class Conv(nn.Module):
    """A convolution layer with an odd kernel of `size` and parameters `kernel` (size, size, in, out) and `bias`.

    `padding` is "zero", "replicate" or "reflect" (which does not repeat the edge), all of which keep height and width,
    or "valid", which cuts size // 2 on each side.
    """

    features: int
    size: int
    padding: str = "zero"
    use_bias: bool = True
    kernel_init: Initializer = nn.initializers.he_normal()

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, H, W, features) from `x` (N, H, W, C)."""
        border = self.size // 2
        zeros, mode = choose("padding", self.padding, PADDINGS)
        if mode:
            x = jnp.pad(x, ((0, 0), (border, border), (border, border), (0, 0)), mode=mode)
        kernel = self.param("kernel", self.kernel_init, (self.size, self.size, x.shape[-1], self.features), jnp.float32)
        x = convolve(x, kernel, (border, border) if zeros else (0, 0))
        return (
            x + self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32).reshape(1, 1, 1, -1)
            if self.use_bias
            else x
        )


def convolve(x: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    """Return the correlation (N, H', W', O) of `x` (N, H, W, C), padded with zeros, with `kernel` (T, T, C, O)."""
    plain = functools.partial(_plain, padding=padding)
    on_cpu = functools.partial(_on_cpu, padding=padding)
    return jax.lax.platform_dependent(x, kernel, cpu=on_cpu, default=plain)


def _plain(x: jax.Array, kernel: jax.Array, padding: Padding, strides: tuple[int, int] = (1, 1)) -> jax.Array:
    return jax.lax.conv_general_dilated(
        x, kernel, strides, (padding, padding), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _on_cpu(x: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    taps = kernel.shape[0]
    if taps == 1:
        return jnp.einsum("nhwi,io->nhwo", x, kernel[0, 0])
    before = max(padding[0], (taps - 1) // 2)
    full = (before, taps - 1 - before)
    y = _same_size(x, kernel, full)
    top = full[0] - padding[0]
    bottom = full[1] - padding[1]
    return y[:, top : y.shape[1] - bottom, top : y.shape[2] - bottom] if top or bottom else y


def _same_size(x: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    """Return `_plain` for a padding that keeps the size, with gradients of our own."""
    return _differentiable(x, kernel, padding)


def _forward(x: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    """Return `_plain` for a padding that keeps the size."""
    channels, features = kernel.shape[2:]
    if max(channels, features) <= 16 and channels > 1 and x.shape[2] % 2 == 0:
        return _two_columns(x, kernel, padding)
    return _plain(x, kernel, padding)


def _forward_saving(x: jax.Array, kernel: jax.Array, padding: Padding) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _forward(x, kernel, padding), (x, kernel)


def _backward(padding: Padding, saved: tuple[jax.Array, jax.Array], g: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    return _photo_gradient(g, kernel, padding), kernel_gradient(x, g, len(kernel), padding)


def _photo_gradient(g: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    """Return the gradient of the photo: `g` correlated with the kernel turned by half a turn, or turned itself."""
    exchanged = kernel.swapaxes(2, 3)
    if kernel.size > g.size:
        return _same_size(g[:, ::-1, ::-1], exchanged, padding)[:, ::-1, ::-1]
    last = kernel.shape[0] - 1
    return _same_size(g, exchanged[::-1, ::-1], (last - padding[0], last - padding[1]))


_differentiable = jax.custom_vjp(_forward, nondiff_argnums=(2,))
_differentiable.defvjp(_forward_saving, _backward)


def _two_columns(x: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    """Return `_plain` as a convolution of horizontal stride 2 that gives a pixel and its right neighbour."""
    n, height, width, _ = x.shape
    taps, _, channels, features = kernel.shape
    pair = jnp.stack([jnp.pad(kernel, ((0, 0), (i, 1 - i), (0, 0), (0, 0))) for i in range(2)], axis=3)
    pair = pair.reshape(taps, taps + 1, channels, 2 * features)
    return _plain(x, pair, padding, strides=(1, 2)).reshape(n, height, width, features)
