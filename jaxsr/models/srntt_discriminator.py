"""SRNTT's discriminator: Zhang, Wang, Lin, Qi, "Image Super-Resolution by Neural Texture Transfer", CVPR 2019."""

import flax.linen as nn
import jax

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import StridedConv, leaky_relu
from jaxsr.models.srgan import even
from jaxsr.models.srntt import norm, normal


class Discriminator(nn.Module):
    """How real a patch is: pairs of normalized convolutions that halve it, then two dense layers.

    `features` is the width of the first of `stages` pairs; it doubles with each. The first dense layer has `hidden`
    outputs and a weight for each pixel of the last map: weights made for one size of patch serve no other.
    """

    features: int = 32
    stages: int = 5
    hidden: int = 1024

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False, axis: str | None = None) -> jax.Array:
        """Return the scores (N, 1), higher for real photos, of `x` (N, H, W, C) in [-1, 1].

        `train` and `axis` are those of SRNTT.
        """
        for i in range(self.stages):
            features = self.features * 2**i
            plain, halving = f"conv{2 * i + 1}", f"conv{2 * i + 2}"
            x = Conv(features, 3, use_bias=False, kernel_init=normal, name=plain)(x)
            x = even(leaky_relu(norm(x, train, axis, f"norm{2 * i + 1}")))
            x = StridedConv(features, 3, 2, use_bias=False, kernel_init=normal, name=halving)(x)
            x = leaky_relu(norm(x, train, axis, f"norm{2 * i + 2}"))
        x = leaky_relu(nn.Dense(self.hidden, kernel_init=normal, name="dense1")(x.reshape(len(x), -1)))
        return nn.Dense(1, kernel_init=normal, name="dense2")(x)
