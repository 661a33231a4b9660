"""FSRCNN: Dong, Loy, Tang, "Accelerating the Super-Resolution Convolutional Neural Network", ECCV 2016."""

import flax.linen as nn
import jax

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.deconvolution import Deconvolution
from jaxsr.models.ops.layers import PReLU
from jaxsr.models.spec import ModelSpec

# Tables 2 and 3; the paper writes FSRCNN(d, s, m).
VARIANTS = {
    "(56,12,4)": {"feature_channels": 56, "shrink_channels": 12, "mapping_layers": 4},
    "(32,5,1)": {"feature_channels": 32, "shrink_channels": 5, "mapping_layers": 1},  # FSRCNN-s
    "(48,12,2)": {"feature_channels": 48, "shrink_channels": 12, "mapping_layers": 2},
}

# He et al. 2015, equation 15, with slope 0.25.
he_prelu = nn.initializers.variance_scaling(2 / (1 + 0.25**2), "fan_in", "normal")


class FSRCNN(nn.Module):
    """Feature extraction, shrinking, mapping, expanding and deconvolution on the LR photo (section 3.2).

    `feature_channels` is the paper's d, `shrink_channels` its s, `mapping_layers` its m.
    """

    scale: int
    feature_channels: int = 56
    shrink_channels: int = 12
    mapping_layers: int = 4
    channels: int = 1

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, scale H, scale W, C) from `x` (N, H, W, C), both in [0, 1]."""
        layers = [("feature_extraction", self.feature_channels, 5), ("shrinking", self.shrink_channels, 1)]
        layers += [(f"mapping{i + 1}", self.shrink_channels, 3) for i in range(self.mapping_layers)]
        layers += [("expanding", self.feature_channels, 1)]
        for name, features, size in layers:
            x = Conv(features, size, kernel_init=he_prelu, name=name)(x)
            x = PReLU(name=f"{name}_prelu")(x)
        return Deconvolution(
            self.channels,
            kernel_size=9,
            stride=self.scale,
            crop=4,
            kernel_init=nn.initializers.normal(0.001),
            name="deconvolution",
        )(x)


def receptive_radius(net: FSRCNN) -> int:
    """Return 2 for the 5x5 layer, 1 for each mapping layer, and the reach of the 9x9 deconvolution."""
    return 2 + net.mapping_layers + (4 + net.scale - 1) // net.scale


SPEC = ModelSpec(
    name="fsrcnn",
    paper="Dong et al., ECCV 2016, arXiv 1608.00367",
    build=FSRCNN,
    scales=(2, 3, 4),
    variants=VARIANTS,
    receptive_radius=receptive_radius,
)
