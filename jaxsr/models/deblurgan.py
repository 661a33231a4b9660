"""DeblurGAN: Kupyn, Budzan, Mykhailych, Mishkin, Matas, "DeblurGAN: Blind Motion Deblurring Using Conditional
Adversarial Networks", CVPR 2018.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.deconvolution import Deconvolution
from jaxsr.models.ops.layers import leaky_relu
from jaxsr.models.ops.strided_convolution import StridedConv
from jaxsr.models.spec import ModelSpec

# Figure 3: two strided convolutions, 9 residual blocks of two convolutions each, two transposed ones.
VARIANTS = {"9": {"blocks": 9}}

normal = nn.initializers.normal(0.02)  # of every layer in the authors' code
instance_norm = functools.partial(
    nn.InstanceNorm, epsilon=1e-5, use_bias=False, use_scale=False, use_fast_variance=False
)


class ResidualBlock(nn.Module):
    """x + conv, norm, ReLU, dropout, conv, norm, borders reflected, as a step of `nn.scan`."""

    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, keys: jax.Array | None) -> tuple[jax.Array, None]:
        """Return (N, H, W, F) of `x` (N, H, W, F), and nothing to stack; a key for each photo drops features."""
        y = Conv(x.shape[-1], 3, "reflect", kernel_init=normal, name="conv1")(x)
        y = nn.relu(instance_norm()(y))
        y = y if keys is None else drop_features(keys, y, self.dropout)
        y = Conv(x.shape[-1], 3, "reflect", kernel_init=normal, name="conv2")(y)
        return x + instance_norm()(y), None


def drop_features(keys: jax.Array, x: jax.Array, share: float) -> jax.Array:
    """Return `x` (N, ...) with that share of elements set to 0, by a key for each photo, the others scaled up.

    Unlike `nn.Dropout`, which has one key for the batch, it does not depend on how devices share the batch.
    """
    kept = jax.vmap(lambda key: jax.random.bernoulli(key, 1 - share, x.shape[1:]))(keys)
    return jnp.where(kept, x / (1 - share), 0)


class DeblurGAN(nn.Module):
    """The blurred photo plus a residual, from residual blocks at a quarter of its size (figure 3).

    `features` is the width of the first layer; it doubles with each halving. `dropout` is the share of features that
    training drops in every block. Every layer is normalized by its own photo's mean and variance, so that each
    pixel depends on the whole photo.
    """

    channels: int = 3
    features: int = 64
    blocks: int = 9
    dropout: float = 0.5

    @nn.compact
    def __call__(self, x: jax.Array, *, keys: jax.Array | None = None) -> jax.Array:
        """Return (N, H, W, C) from `x` (N, H, W, C), both in [-1, 1]; H and W are multiples of 4, 8 or more.

        Training passes `keys` (N,), by which features are dropped.
        """
        y = Conv(self.features, 7, "reflect", kernel_init=normal, name="conv1")(x)
        y = nn.relu(instance_norm()(y))
        for i in (1, 2):
            y = StridedConv(2**i * self.features, 3, 2, kernel_init=normal, name=f"down{i}")(y)
            y = nn.relu(instance_norm()(y))
        blocks = nn.scan(
            ResidualBlock,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.blocks,
        )
        block_keys = None if keys is None else jax.vmap(lambda key: jax.random.split(key, self.blocks), 0, 1)(keys)
        y, _ = blocks(self.dropout, name="blocks")(y, block_keys)
        for i in (1, 2):
            up = Deconvolution(
                self.features * 2 ** (2 - i), kernel_size=3, stride=2, crop=1, kernel_init=normal, name=f"up{i}"
            )
            y = nn.relu(instance_norm()(up(y)))
        y = jnp.tanh(Conv(self.channels, 7, "reflect", kernel_init=normal, name="conv2")(y))
        return jnp.clip(x + y, -1, 1)


class PatchCritic(nn.Module):
    """A score for each patch of about 70x70 pixels, higher for sharp photos (section 3.2).

    4x4 convolutions with 2 zeros around, `depth` of them with stride 2. The first has `features`; each of the next
    has twice as many, up to 8 times. It does not see the blurred photo.
    """

    features: int = 64
    depth: int = 3

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the scores (N, H', W', 1) of `x` (N, H, W, C) in [-1, 1]; 256 pixels a side give 35."""
        x = leaky_relu(self._conv(x, self.features, 2, "conv1"))
        for i in range(1, self.depth + 1):
            stride = 2 if i < self.depth else 1
            x = self._conv(x, self.features * min(2**i, 8), stride, f"conv{i + 1}")
            x = leaky_relu(instance_norm()(x))
        return self._conv(x, 1, 1, f"conv{self.depth + 2}")

    def _conv(self, x: jax.Array, features: int, stride: int, name: str) -> jax.Array:
        """Return a layer's map, which has side // stride + 1 rows and columns."""
        ends = [(0, (side // stride + 1) * stride - side) for side in x.shape[1:3]]
        x = jnp.pad(x, ((0, 0), *ends, (0, 0)))
        return StridedConv(features, 4, stride, kernel_init=normal, name=name)(x)


SPEC = ModelSpec(
    name="deblurgan",
    paper="Kupyn et al., CVPR 2018, arXiv 1711.07064",
    build=DeblurGAN,
    scales=(1,),
    variants=VARIANTS,
    receptive_radius=lambda net: None,  # instance normalization
    tile_context=lambda net: 15 + 8 * net.blocks,  # 2 convolutions of a block, at a quarter of the size
    value_range=(-1.0, 1.0),
    multiple_of=4,
    minimum=5,  # padded to 8, whose quarter is the smallest side that can be reflected
)
