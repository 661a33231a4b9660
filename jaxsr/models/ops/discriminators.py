"""The discriminators of SRGAN (Ledig et al., CVPR 2017, figure 4) and SRNTT (Zhang et al., CVPR 2019)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import Initializer, batch_norm, leaky_relu
from jaxsr.models.ops.strided_convolution import StridedConv


class Discriminator(nn.Module):
    """How likely a patch is a real photo: pairs of convolutions that halve it, then two dense layers.

    `features` is the width of the first of `stages` pairs; it doubles with each. The first dense layer has `hidden`
    outputs and a weight for each pixel of the last map: weights made for one size of patch serve no other. The first
    layer is batch-normalized with `normalize_first` alone, the others always; `use_bias` is for the convolutions. All
    layers start from `kernel_init`, the last from `last_init`, the gains of the normalizations from `scale_init`.
    """

    features: int
    stages: int
    hidden: int
    normalize_first: bool
    use_bias: bool
    kernel_init: Initializer
    last_init: Initializer
    scale_init: Initializer

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False, axis: str | None = None) -> jax.Array:
        """Return logits (N, 1), the sigmoid of which is the probability, of `x` (N, H, W, C) in [-1, 1].

        With `train` patches are normalized by their own batch, over all devices where `axis` names their axis, and
        "batch_stats" has to be mutable.
        """
        options = {"use_bias": self.use_bias, "kernel_init": self.kernel_init}
        for i in range(1, 2 * self.stages + 1):
            features = self.features * 2 ** ((i - 1) // 2)
            if i % 2:
                x = Conv(features, 3, name=f"conv{i}", **options)(x)
            else:
                x = StridedConv(features, 3, 2, name=f"conv{i}", **options)(even(x))
            if i > 1 or self.normalize_first:
                x = batch_norm(x, train, axis, f"norm{i}", scale_init=self.scale_init)
            x = leaky_relu(x)
        x = leaky_relu(nn.Dense(self.hidden, kernel_init=self.kernel_init, name="dense1")(x.reshape(len(x), -1)))
        return nn.Dense(1, kernel_init=self.last_init, name="dense2")(x)


def even(x: jax.Array) -> jax.Array:
    """Return `x` with zeros below and to the right of an odd number of rows and columns: what padding reads there."""
    return jnp.pad(x, ((0, 0), *((0, side % 2) for side in x.shape[1:3]), (0, 0)))
