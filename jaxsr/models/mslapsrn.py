"""MS-LapSRN: Lai, Huang, Ahuja, Yang, "Fast and Accurate Image Super-Resolution with Deep Laplacian Pyramid Networks",
TPAMI 2018.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.lapsrn import (
    LEVELS,
    Pyramid,
    feature_upsampling,
    finest,
    he_in,
    image_upsampling,
    near_zero,
    pyramid_radius,
)
from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import leaky_relu
from jaxsr.models.spec import ModelSpec
from jaxsr.support.errors import UserError, choose

# D convolutions in a block, R blocks with the same weights; LapSRN_SS of the paper's tables.
VARIANTS = {
    "D5R2": {"depth": 5, "recursions": 2},
    "D5R5": {"depth": 5, "recursions": 5},
    "D5R8": {"depth": 5, "recursions": 8},
}


class MSLapSRN(nn.Module):
    """LapSRN with one set of weights for all levels, and within a level for all recursions (section 3).

    `depth` is the paper's D, `recursions` its R. `skip` is what a recursive block adds to its result: "SS", the
    features that enter the level (shared source, the best), "DS", those that enter the block, or "NS", nothing.
    The weights fit every scale.
    """

    scale: int
    channels: int = 1
    features: int = 64
    depth: int = 5
    recursions: int = 8
    skip: str = "SS"
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: jax.Array, *, levels: bool = False) -> jax.Array | Pyramid:
        """Return (N, scale H, scale W, C) from `x` (N, H, W, C), both in [0, 1]; with `levels` the whole Pyramid.

        Raises UserError where `recursions` is missing: weights have the same shapes for any number.
        """
        if not self.recursions:
            raise UserError(f"mslapsrn has recursions={self.recursions}; say 1 or more: --model=mslapsrn,recursions=8")
        h = Conv(self.features, 3, use_bias=self.use_bias, kernel_init=near_zero, name="input_conv")(x)
        level = SharedLevel(
            self.channels, self.features, self.depth, self.recursions, self.skip, self.use_bias, name="level"
        )
        images = [x]
        for _ in range(LEVELS[self.scale]):
            h, image = level(h, images[-1])
            images.append(image)
        return finest(images[1:], self.scale, levels)


class SharedLevel(nn.Module):
    """Feature embedding and image reconstruction of any level, from its input's size to twice that."""

    channels: int
    features: int
    depth: int
    recursions: int
    skip: str
    use_bias: bool

    @nn.compact
    def __call__(self, h: jax.Array, image: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return features and image of twice the size from the features `h` (N, H, W, F) and `image` (N, H, W, C)."""
        recursion = nn.scan(
            RecursiveBlock,
            variable_broadcast="params",
            split_rngs={"params": False},
            in_axes=nn.broadcast,  # type: ignore[arg-type]  # Flax's own hint is too narrow
            length=self.recursions,
        )
        h, _ = recursion(self.features, self.depth, self.skip, self.use_bias, name="block")(h, h)
        h = feature_upsampling(self.features, "3x3", self.use_bias)(leaky_relu(h))
        residual = Conv(self.channels, 3, use_bias=self.use_bias, kernel_init=he_in, name="residual_conv")(h)
        return h, image_upsampling(self.channels)(image) + residual


class RecursiveBlock(nn.Module):
    """D convolutions, each after its activation, and a skip."""

    features: int
    depth: int
    skip: str
    use_bias: bool

    @nn.compact
    def __call__(self, h: jax.Array, source: jax.Array) -> tuple[jax.Array, None]:
        """Return the next (N, H, W, F) from `h` and the level's input `source`, and nothing to stack."""
        added = choose("skip", self.skip, {"SS": source, "DS": h, "NS": jnp.zeros((), h.dtype).reshape(1, 1, 1, 1)})
        stack = nn.scan(PreActivated, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.depth)
        h, _ = stack(self.features, self.use_bias, name="convs")(h, None)
        return h + added, None


class PreActivated(nn.Module):
    """An activation and the convolution after it, as a step of `nn.scan`."""

    features: int
    use_bias: bool

    @nn.compact
    def __call__(self, h: jax.Array, _: None) -> tuple[jax.Array, None]:
        """Return the next (N, H, W, F), and nothing to stack."""
        return Conv(self.features, 3, use_bias=self.use_bias, kernel_init=he_in, name="conv")(leaky_relu(h)), None


SPEC = ModelSpec(
    name="mslapsrn",
    paper="Lai et al., TPAMI 2018, arXiv 1710.01992",
    build=MSLapSRN,
    scales=(2, 3, 4, 8),
    variants=VARIANTS,
    detail_options=("levels",),
    shared_scales=((2, 3, 4, 8),),  # section 3: trained on all scales together
    receptive_radius=lambda net: pyramid_radius(net.scale, net.depth * net.recursions, "3x3"),
)
