"""DANv1: Luo, Huang, Li, Wang, Tan, "Unfolding the Alternating Optimization for Blind Super Resolution",
NeurIPS 2020.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.dan import DAN, Enlargement, MeanOfConv, Round, stack
from jaxsr.models.ops.convolution import Conv, convolve
from jaxsr.models.ops.layers import Weights, leaky_relu, uniform
from jaxsr.models.ops.strided_convolution import StridedConv
from jaxsr.models.spec import ModelSpec

# By the size of the kernels: setting 1 at every scale, setting 2 at x2, setting 2 at x4 (section 4.1).
VARIANTS = {
    "21x21": {"kernel_size": 21},
    "11x11": {"kernel_size": 11, "kernels": "anisotropic"},
    "31x31": {"kernel_size": 31, "kernels": "anisotropic"},
}

REDUCTION = 16  # of the channels inside channel attention


class DANv1(DAN):
    """40 conditional residual blocks restore, 5 estimate the code of the kernel (section 3.3)."""

    features: int = 64
    blocks: int = 40
    estimator_features: int = 32
    estimator_blocks: int = 5

    def setup(self):
        """Make the two networks."""
        self.restorer = Restorer(self.scale, self.channels, self.features, self.blocks)
        self.estimator = Estimator(self.scale, self.estimator_features, self.estimator_blocks, self.code_length)

    def heads(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return both networks' first features of the LR photo `x` (N, H, W, C)."""
        return self.restorer.head(x), self.estimator.head(x)

    def round(self, heads: tuple[jax.Array, jax.Array], code: jax.Array) -> Round:
        """Return the image restored with `code` (N, L), and the code estimated from it."""
        sr = self.restorer(heads[0], code)
        return Round(sr, self.estimator(heads[1], self.to_estimator(sr)))


class Restorer(nn.Module):
    """Blocks conditioned on the code, 1 number per channel for the whole photo, then enlargement."""

    scale: int
    channels: int
    features: int
    blocks: int

    def setup(self):
        """Make the layers."""
        self.head = Conv(self.features, 3, kernel_init=uniform)
        self.body = stack(CRB, self.blocks, nn.broadcast)()
        self.enlargement = Enlargement(self.scale, self.channels)

    def __call__(self, x: jax.Array, code: jax.Array) -> jax.Array:
        """Return (N, scale H, scale W, C) from the head's features `x` (N, H, W, F) and `code` (N, L)."""
        return self.enlargement(self.body(x, code)[0])


class Estimator(nn.Module):
    """Blocks on the LR photo conditioned on the restored one, reduced to the same size."""

    scale: int
    features: int
    blocks: int
    code_length: int

    def setup(self):
        """Make the layers."""
        self.head = Conv(self.features, 1, kernel_init=uniform)  # the paper's text has 3x3, its code and weights 1x1
        self.sr_head = StridedConv(self.features, 9, self.scale)
        self.body = stack(CRB, self.blocks, nn.broadcast)()
        self.code = MeanOfConv(self.code_length)

    def __call__(self, x: jax.Array, sr: jax.Array) -> jax.Array:
        """Return the code (N, L) from the head's features `x` (N, H, W, F) and `sr` (N, scale H, scale W, C)."""
        return self.code(self.body(x, self.sr_head(sr))[0])


class CRB(nn.Module):
    """Conditional residual block: features and condition through two convolutions and channel attention (figure 2).

    A condition (N, K) is the same at all pixels: the contribution of its channels to the first convolution is a bias,
    except that zero padding takes some weights away at the border. It is never spread over the photo.
    """

    @nn.compact
    def __call__(self, x: jax.Array, condition: jax.Array) -> tuple[jax.Array, None]:
        """Return (N, H, W, F) of `x` (N, H, W, F) and `condition` (N, H, W, K) or (N, K), and nothing to stack."""
        features, width = x.shape[-1], x.shape[-1] + condition.shape[-1]
        kernel, bias = Weights(width, width, 3, name="conv1")()
        conditional = constant_channels if condition.ndim == 2 else convolved_channels
        y = convolve(x, kernel[:, :, :features], (1, 1)) + conditional(x, condition, kernel[:, :, features:])
        y = Conv(features, 3, kernel_init=uniform, name="conv2")(leaky_relu(y + bias))
        return x + ChannelAttention(name="attention")(y), None


def convolved_channels(_: jax.Array, condition: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return the correlation (N, H, W, O) of `condition` (N, H, W, K) with `kernel` (3, 3, K, O)."""
    return convolve(condition, kernel, (1, 1))


def constant_channels(x: jax.Array, condition: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return `convolved_channels` for a `condition` (N, K) that is constant over the height and width of `x`."""
    weights = jnp.einsum("nk,yxko->nyxo", condition, kernel)
    return _within(_within(weights, x.shape[1], 1), x.shape[2], 2)


def _within(weights: jax.Array, side: int, axis: int) -> jax.Array:
    """Return for each of `side` places the sum of the three weights along `axis` that do not fall on padding.

    The sums come first: adding at every place would take a tenth of the network's time.
    """
    before, middle, after = jnp.split(weights, 3, axis=axis)
    if side == 1:
        return middle
    place = jax.lax.broadcasted_iota(jnp.int32, (1,) * axis + (side,) + (1,) * (3 - axis), axis)
    first, last = middle + after, before + middle
    return jnp.where(place == 0, first, jnp.where(place == side - 1, last, first + before))


class ChannelAttention(nn.Module):
    """Each channel times a number in (0, 1), made from the means of all channels over the whole photo."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, H, W, F) of `x` (N, H, W, F)."""
        features = x.shape[-1]
        y = x.mean(axis=(1, 2), keepdims=True)
        y = leaky_relu(Conv(max(features // REDUCTION, 1), 1, kernel_init=uniform, name="squeeze")(y))
        return x * nn.sigmoid(Conv(features, 1, kernel_init=uniform, name="excite")(y))


SPEC = ModelSpec(
    name="danv1",
    paper="Luo et al., NeurIPS 2020, arXiv 2010.02631",
    build=DANv1,
    scales=(2, 3, 4),
    variants=VARIANTS,
    detail_options=("all_rounds",),
    receptive_radius=lambda net: None,  # channel attention, and one code for the whole photo
)
