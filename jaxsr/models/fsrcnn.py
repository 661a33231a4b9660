"""FSRCNN: Dong, Loy, Tang, "Accelerating the Super-Resolution Convolutional Neural Network", ECCV 2016."""

import flax.linen as nn
import jax
import jax.numpy as jnp

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


MARGIN = 3  # a 9x9 deconvolution reaches no further beside an LR pixel, at any scale


class FSRCNN(nn.Module):
    """Feature extraction, shrinking, mapping, expanding and deconvolution on the LR photo (section 3.2).

    `feature_channels` is the paper's d, `shrink_channels` its s, `mapping_layers` its m. `padding` is "zero", as in
    ports, or "replicate", as in the authors' test code and weights: the edge is repeated before every layer, the
    deconvolution's too, whose result begins (scale - 1) // 2 pixels earlier.
    """

    scale: int
    feature_channels: int = 56
    shrink_channels: int = 12
    mapping_layers: int = 4
    channels: int = 1
    padding: str = "zero"

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, scale H, scale W, C) from `x` (N, H, W, C), both in [0, 1]."""
        layers = [("feature_extraction", self.feature_channels, 5), ("shrinking", self.shrink_channels, 1)]
        layers += [(f"mapping{i + 1}", self.shrink_channels, 3) for i in range(self.mapping_layers)]
        layers += [("expanding", self.feature_channels, 1)]
        for name, features, size in layers:
            x = Conv(features, size, self.padding, kernel_init=he_prelu, name=name)(x)
            x = PReLU(name=f"{name}_prelu")(x)
        border = MARGIN if self.padding == "replicate" else 0
        x = jnp.pad(x, ((0, 0), (border, border), (border, border), (0, 0)), mode="edge") if border else x
        x = Deconvolution(
            self.channels,
            kernel_size=9,
            stride=self.scale,
            crop=4 - (self.scale - 1) // 2 if border else 4,
            kernel_init=nn.initializers.normal(0.001),
            name="deconvolution",
        )(x)
        cut = border * self.scale
        return x[:, cut : x.shape[1] - cut, cut : x.shape[2] - cut]


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
