"""ZSSR: Shocher, Cohen, Irani, "Zero-Shot Super-Resolution using Deep Internal Learning", CVPR 2018."""

import flax.linen as nn
import jax

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.spec import ModelSpec

VARIANTS = {"RGB": {}, "grey": {"channels": 1}}

# Deviation sqrt(0.1 / fan_in): the network starts close to the bicubic enlargement.
near_zero = nn.initializers.variance_scaling(0.1, "fan_in", "normal")


class ZSSR(nn.Module):
    """`depth` 3x3 layers without biases that predict the residual of the bicubic enlargement (section 3.2).

    The weights belong to one photo: `jaxsr.blind.zssr.restoration` trains them on it.
    """

    depth: int = 8
    features: int = 64
    channels: int = 3

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, H, W, C) in [0, 1] from the enlarged `x` of that shape."""
        h = x
        for i in range(1, self.depth):
            h = nn.relu(Conv(self.features, 3, use_bias=False, kernel_init=near_zero, name=f"conv{i}")(h))
        last = Conv(self.channels, 3, use_bias=False, kernel_init=near_zero, name=f"conv{self.depth}")
        return x + last(h)


SPEC = ModelSpec(
    name="zssr",
    paper="Shocher et al., CVPR 2018, arXiv 1712.06087",
    build=ZSSR,
    scales=(2, 3, 4),
    variants=VARIANTS,
    pre_upsampled=True,
    shared_scales=((2, 3, 4),),  # x4 is trained from the weights of x2
    receptive_radius=lambda net: net.depth,
    per_photo=True,
)
