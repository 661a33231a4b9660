"""ESPCN: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
Neural Network", CVPR 2016.
"""

import flax.linen as nn
import jax

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import depth_to_space
from jaxsr.models.spec import ModelSpec
from jaxsr.support.errors import choose

VARIANTS = {"Y": {"channels": 1}, "RGB": {"channels": 3}}

# The paper gives no initialisation: He over the output fan, and a last layer that starts near zero.
he_out = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


class ESPCN(nn.Module):
    """Two layers on the LR photo, then scale² maps that the periodic shuffle interleaves (section 2.2).

    `activation` is "tanh", which the paper found better (section 3.3.1), or "relu".
    """

    scale: int
    channels: int = 1
    features: tuple[int, int] = (64, 32)
    activation: str = "tanh"

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, scale H, scale W, C) from `x` (N, H, W, C), both in [0, 1]."""
        activate = choose("activation", self.activation, {"tanh": nn.tanh, "relu": nn.relu})
        x = activate(Conv(self.features[0], 5, kernel_init=he_out, name="conv1")(x))
        x = activate(Conv(self.features[1], 3, kernel_init=he_out, name="conv2")(x))
        x = Conv(self.scale**2 * self.channels, 3, kernel_init=nn.initializers.normal(0.001), name="conv3")(x)
        return depth_to_space(x, self.scale)


SPEC = ModelSpec(
    name="espcn",
    paper="Shi et al., CVPR 2016, arXiv 1609.05158",
    build=ESPCN,
    scales=(2, 3, 4),
    variants=VARIANTS,
    receptive_radius=lambda net: 4,  # 5x5, 3x3, 3x3
)
