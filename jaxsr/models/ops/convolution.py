"""Convolution with stride 1, computed in other ways where XLA's own is slow on a CPU. Same weights, same results.

Measured for jax 0.10 (benchmarks/README.md): without padding XLA is 8 times slower than with, at 1x1 twice slower
than a matrix product, with few channels a third slower than two columns at once, and for the kernel's gradient up to
25 times slower than with the roles of photo, gradient and kernel exchanged. GPUs get XLA's own.
"""

import functools
from collections.abc import Callable
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.support.errors import choose

Initializer: TypeAlias = Callable[..., jax.Array]  # (key, shape, dtype) -> weights
Padding: TypeAlias = tuple[int, int]  # zeros before and after, in both dimensions
WIDE = 1 << 18  # channels times features from which products beat convolutions for the kernel's gradient

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
        kernel = self.param("kernel", self.kernel_init, (self.size, self.size, x.shape[-1], self.features))
        x = convolve(x, kernel, (border, border) if zeros else (0, 0))
        return (
            x + self.param("bias", nn.initializers.zeros, (self.features,)).reshape(1, 1, 1, -1) if self.use_bias else x
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
    last = kernel.shape[0] - 1
    mirrored = (last - padding[0], last - padding[1])
    x_gradient = _same_size(g, kernel[::-1, ::-1].swapaxes(2, 3), mirrored)
    # XLA's own kernel gradient takes 25 times longer inside a loop, where its layout is a poor one
    channels, features = kernel.shape[2:]
    if channels * features >= WIDE:
        return x_gradient, _kernel_gradient_by_products(x, g, len(kernel), padding)
    if features < channels or 32 <= channels < features:  # the photo is the kernel, else g is
        exchanged = _plain(g.transpose(3, 1, 2, 0), x.transpose(1, 2, 0, 3), mirrored)
        return x_gradient, exchanged[:, ::-1, ::-1].transpose(1, 2, 3, 0)
    exchanged = _plain(x.transpose(3, 1, 2, 0), g.transpose(1, 2, 0, 3), padding)
    return x_gradient, exchanged.transpose(1, 2, 0, 3)


def _kernel_gradient_by_products(x: jax.Array, g: jax.Array, taps: int, padding: Padding) -> jax.Array:
    """Return the gradient (T, T, C, O) as one matrix product per tap, of the pixels that it meets."""
    height, width = x.shape[1:3]
    x = jnp.pad(x, ((0, 0), padding, padding, (0, 0)))
    pixels = (x[:, i : i + height, j : j + width] for i in range(taps) for j in range(taps))
    products = [part.reshape(-1, part.shape[-1]).T @ g.reshape(-1, g.shape[-1]) for part in pixels]
    return jnp.stack(products).reshape(taps, taps, *products[0].shape)


_differentiable = jax.custom_vjp(_forward, nondiff_argnums=(2,))
_differentiable.defvjp(_forward_saving, _backward)


def _two_columns(x: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    """Return `_plain` as a convolution of horizontal stride 2 that gives a pixel and its right neighbour."""
    n, height, width, _ = x.shape
    taps, _, channels, features = kernel.shape
    pair = jnp.stack([jnp.pad(kernel, ((0, 0), (i, 1 - i), (0, 0), (0, 0))) for i in range(2)], axis=3)
    pair = pair.reshape(taps, taps + 1, channels, 2 * features)
    return _plain(x, pair, padding, strides=(1, 2)).reshape(n, height, width, features)
