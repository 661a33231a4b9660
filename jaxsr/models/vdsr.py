"""VDSR: Kim, Lee, Lee, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks", CVPR 2016."""

import flax.linen as nn
import jax

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.spec import ModelSpec
from jaxsr.support.errors import UserError

# The authors' weights have biases; the most used PyTorch port has none.
VARIANTS = {"20": {"depth": 20}, "20 without biases": {"depth": 20, "use_bias": False}}


class VDSR(nn.Module):
    """`depth` 3x3 layers for the residual to the bicubic enlargement (section 3.1). One network for all scales."""

    depth: int = 20
    features: int = 64
    channels: int = 1
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, H, W, C) in [0, 1] from the enlarged `x` of that shape; raises UserError for a depth below 2."""
        if self.depth < 2:
            raise UserError(f"depth={self.depth} leaves vdsr no first and last layer; use at least 2")

        def layer(features: int, name: str) -> Conv:
            return Conv(features, 3, use_bias=self.use_bias, name=name)

        h = nn.relu(layer(self.features, "first")(x))
        hidden = nn.scan(
            lambda conv, h, _: (nn.relu(conv(h)), None),
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.depth - 2,
        )
        h, _ = hidden(layer(self.features, "hidden"), h, None)
        return x + layer(self.channels, "last")(h)


SPEC = ModelSpec(
    name="vdsr",
    paper="Kim et al., CVPR 2016, arXiv 1511.04587",
    build=VDSR,
    scales=(2, 3, 4),
    variants=VARIANTS,
    pre_upsampled=True,
    shared_scales=((2, 3, 4),),  # section 4.3: trained on all scales together
    receptive_radius=lambda net: net.depth,
)
