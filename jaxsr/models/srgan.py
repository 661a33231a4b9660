"""SRGAN's discriminator; its generator is SRResNet. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using
a Generative Adversarial Network", CVPR 2017.
"""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models import srresnet
from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import StridedConv, leaky_relu
from jaxsr.models.srresnet import batch_norm

he = nn.initializers.variance_scaling(2 / (1 + 0.2**2), "fan_in", "normal")  # for that slope; the paper names none


class Discriminator(nn.Module):
    """How likely a patch is a real photo: pairs of convolutions that halve it, then two dense layers (figure 4).

    `features` is the width of the first of `stages` pairs; it doubles with each. The first dense layer has `hidden`
    outputs and a weight for each pixel of the last map: weights made for one size of patch serve no other.
    """

    features: int = 64
    stages: int = 4
    hidden: int = 1024

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False, axis: str | None = None) -> jax.Array:
        """Return logits (N, 1), the sigmoid of which is the probability, of `x` (N, H, W, C) in [-1, 1].

        With `train` patches are normalized by their own batch, over all devices where `axis` names their axis, and
        "batch_stats" has to be mutable.
        """
        x = leaky_relu(Conv(self.features, 3, kernel_init=he, name="conv1")(x))
        for i in range(2, 2 * self.stages + 1):
            features = self.features * 2 ** ((i - 1) // 2)
            if i % 2:
                x = Conv(features, 3, kernel_init=he, name=f"conv{i}")(x)
            else:
                x = even(x)
                x = StridedConv(features, 3, 2, kernel_init=he, name=f"conv{i}")(x)
            x = leaky_relu(batch_norm(x, train, axis, f"norm{i}"))
        x = leaky_relu(nn.Dense(self.hidden, kernel_init=he, name="dense1")(x.reshape(len(x), -1)))
        return nn.Dense(1, name="dense2")(x)


def even(x: jax.Array) -> jax.Array:
    """Return `x` with zeros below and to the right of an odd number of rows and columns: what padding reads there."""
    return jnp.pad(x, ((0, 0), *((0, side % 2) for side in x.shape[1:3]), (0, 0)))


SPEC = dataclasses.replace(srresnet.SPEC, name="srgan", scales=(4,))
