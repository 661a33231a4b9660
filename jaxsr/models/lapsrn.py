"""LapSRN: Lai, Huang, Ahuja, Yang, "Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution",
CVPR 2017.
"""

from collections.abc import Sequence
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxsr.imaging.resize import resize
from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.deconvolution import Deconvolution
from jaxsr.models.ops.layers import leaky_relu
from jaxsr.models.spec import ModelSpec
from jaxsr.support.errors import choose

# Convolutions per level: the authors' weights for x2 and x4 have 10, those for x8 have 5.
VARIANTS = {
    "10": {"depth": 10},
    "5": {"depth": 5},
    "10-4x4": {"depth": 10, "upsampling": "4x4"},
}

LEVELS = {2: 1, 3: 2, 4: 2, 8: 3}  # the authors reduce the result of x4 to x3
UPSAMPLING = {"3x3": (3, 0), "4x4": (4, 1)}  # kernel and crop: the authors' code and the paper's text


# The authors' code: a first layer that starts near zero, so that training starts at the enlarged photo, then He.
near_zero = nn.initializers.normal(0.001)
he_in = nn.initializers.variance_scaling(2.0, "fan_in", "normal")


class Pyramid(NamedTuple):
    """The result `sr`, and the images of all `levels`, coarse to fine: (N, 2H, 2W, C), (N, 4H, 4W, C), ..."""

    sr: jax.Array
    levels: tuple[jax.Array, ...]

    def extras(self) -> dict[str, jax.Array]:
        """Return the levels by their enlargement: `image_x2` (N, 2H, 2W, C), `image_x4`, ..."""
        return {f"image_x{2**i}": level for i, level in enumerate(self.levels, start=1)}


class LapSRN(nn.Module):
    """A level per doubling: convolutions on its input's size, then an enlarged image plus a residual (section 3.1).

    `depth` counts the convolutions of a level, the paper's d. `upsampling` is the kernel of the transposed
    convolution of the features: "3x3" (the authors' code) or "4x4" (the paper's text).
    """

    scale: int
    channels: int = 1
    features: int = 64
    depth: int = 10
    upsampling: str = "3x3"
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: jax.Array, *, levels: bool = False) -> jax.Array | Pyramid:
        """Return (N, scale H, scale W, C) from `x` (N, H, W, C), both in [0, 1]; with `levels` the whole Pyramid."""
        h = Conv(self.features, 3, use_bias=self.use_bias, kernel_init=near_zero, name="input_conv")(x)
        h, images = leaky_relu(h), [x]
        for i in range(LEVELS[self.scale]):
            level = Level(
                self.channels, self.features, self.depth, self.upsampling, self.use_bias, name=f"level{i + 1}"
            )
            h, image = level(h, images[-1])
            images.append(image)
        return finest(images[1:], self.scale, levels)


class Level(nn.Module):
    """Feature extraction and image reconstruction of one level, from its input's size to twice that."""

    channels: int
    features: int
    depth: int
    upsampling: str
    use_bias: bool

    @nn.compact
    def __call__(self, h: jax.Array, image: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return features and image of twice the size from the features `h` (N, H, W, F) and `image` (N, H, W, C)."""
        stack = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.depth)
        h, _ = stack(self.features, self.use_bias, name="convs")(h, None)
        h = leaky_relu(feature_upsampling(self.features, self.upsampling, self.use_bias)(h))
        residual = Conv(self.channels, 3, use_bias=self.use_bias, kernel_init=he_in, name="residual_conv")(h)
        return h, image_upsampling(self.channels)(image) + residual


class Layer(nn.Module):
    """A convolution and its activation, as a step of `nn.scan`."""

    features: int
    use_bias: bool

    @nn.compact
    def __call__(self, h: jax.Array, _: None) -> tuple[jax.Array, None]:
        """Return the next (N, H, W, F), and nothing to stack."""
        return leaky_relu(Conv(self.features, 3, use_bias=self.use_bias, kernel_init=he_in, name="conv")(h)), None


def feature_upsampling(features: int, upsampling: str, use_bias: bool) -> Deconvolution:
    """Return the layer that doubles the size of the features."""
    size, crop = choose("upsampling", upsampling, UPSAMPLING)
    return Deconvolution(features, size, 2, crop, use_bias, kernel_init=he_in, name="upconv")


def image_upsampling(channels: int) -> Deconvolution:
    """Return the learned layer that doubles the size of the image; it starts as bilinear enlargement (section 3.1)."""
    return Deconvolution(channels, 4, 2, 1, use_bias=False, kernel_init=bilinear, name="image_upsampling")


def bilinear(key: jax.Array, shape: tuple[int, int, int, int], dtype: DTypeLike = jnp.float32) -> jax.Array:
    """Return the transposed kernel (4, 4, C, C) that doubles each channel by bilinear interpolation."""
    tent = jnp.array([0.25, 0.75, 0.75, 0.25], dtype)
    return jnp.einsum("y,x,io->yxio", tent, tent, jnp.eye(shape[2], dtype=dtype))


def finest(images: Sequence[jax.Array], scale: int, levels: bool) -> jax.Array | Pyramid:
    """Return the last of `images`, for scale 3 reduced from 4 by bicubic; with `levels` the whole Pyramid."""
    sr = resize(images[-1], 3 / 4) if scale == 3 else images[-1]
    return Pyramid(sr, tuple(images)) if levels else sr


def pyramid_radius(scale: int, depth: int, upsampling: str) -> int:
    """Return how many input pixels away the output block of one input pixel depends on, `depth` layers at each level.

    Followed backwards: the pixels `first` to `last` of the finest image depend on those of the features before.
    """
    size, crop = UPSAMPLING[upsampling]
    levels = LEVELS[scale]
    first, last = (-2, 5) if scale == 3 else (0, 2**levels - 1)  # the reduction to 3/4 reaches 2 further
    first, last = first - 1, last + 1  # residual_conv
    for _ in range(levels):
        first, last = -(-(first + crop - size + 1) // 2) - depth, (last + crop) // 2 + depth
    return max(-first, last) + 1  # input_conv


SPEC = ModelSpec(
    name="lapsrn",
    paper="Lai et al., CVPR 2017, arXiv 1704.03915",
    build=LapSRN,
    scales=(2, 3, 4, 8),
    variants=VARIANTS,
    detail_options=("levels",),
    shared_scales=((3, 4),),
    receptive_radius=lambda net: pyramid_radius(net.scale, net.depth, net.upsampling),
)
