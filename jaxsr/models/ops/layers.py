"""Layers that several papers share: sub-pixel shuffles, normalization, PReLU."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.convolution import Initializer

# PyTorch's default initialisation, which many authors keep: uniform within 1 / sqrt(fan_in). Biases start at 0 here.
uniform = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
leaky_relu = functools.partial(nn.leaky_relu, negative_slope=0.2)  # of LapSRN, DAN, discriminators and critics

NORM_EPSILON = 1e-5  # of batch normalization, as in PyTorch; the papers name none


def depth_to_space(x: jax.Array, scale: int) -> jax.Array:
    """Return (N, scale H, scale W, C) from (N, H, W, scale² C), channels ordered (dy, dx, c).

    This is the periodic shuffle of ESPCN (equation 4). PyTorch's PixelShuffle orders (c, dy, dx).
    """
    n, h, w, depth = x.shape
    channels = depth // scale**2
    x = x.reshape(n, h, w, scale, scale, channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * scale, w * scale, channels)


def space_to_depth(x: jax.Array, scale: int) -> jax.Array:
    """Return (N, H, W, scale² C) from (N, scale H, scale W, C), the inverse of `depth_to_space`."""
    n, height, width, channels = x.shape
    x = x.reshape(n, height // scale, scale, width // scale, scale, channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, height // scale, width // scale, -1)


def enlargements(scale: int) -> tuple[int, ...]:
    """Return the factors of the sub-pixel stages: x4 is twice x2."""
    return (2, 2) if scale == 4 else (scale,)


class Weights(nn.Module):
    """The parameters of a convolution from `inputs` to `features` channels, for its block to apply in parts."""

    inputs: int
    features: int
    size: int
    kernel_init: Initializer = uniform

    @nn.compact
    def __call__(self) -> tuple[jax.Array, jax.Array]:
        """Return the kernel (size, size, inputs, features) and the bias (1, 1, 1, features)."""
        kernel = self.param("kernel", self.kernel_init, (self.size, self.size, self.inputs, self.features), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        return kernel, bias.reshape(1, 1, 1, -1)


def batch_norm(
    x: jax.Array, train: bool, axis: str | None, name: str, *, scale_init: Initializer = nn.initializers.ones
) -> jax.Array:
    """Return `x` (N, H, W, C) normalized by the batch over all devices of `axis`, or by running statistics."""
    layer = nn.BatchNorm(
        not train, axis_name=axis, momentum=0.9, epsilon=NORM_EPSILON, scale_init=scale_init, name=name
    )
    return layer(x)


class PReLU(nn.Module):
    """max(x, 0) + a min(x, 0), with one learned slope a per channel, 0.25 at the start (He et al. 2015)."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the activation of `x` (..., C)."""
        slope = self.param("slope", nn.initializers.constant(0.25), (x.shape[-1],), jnp.float32)
        return jnp.maximum(x, 0) + slope.reshape((1,) * (x.ndim - 1) + (-1,)) * jnp.minimum(x, 0)
