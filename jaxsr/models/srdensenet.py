"""SRDenseNet: Tong, Li, Liu, Gao, "Image Super-Resolution Using Dense Skip Connections", ICCV 2017."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.convolution import Conv, convolve
from jaxsr.models.ops.deconvolution import Deconvolution
from jaxsr.models.ops.layers import Weights
from jaxsr.models.spec import ModelSpec
from jaxsr.support.errors import choose

# Section 3: the input of the deconvolutions.
VARIANTS = {
    "All": {"version": "All"},  # low-level and all blocks' features, through a bottleneck
    "HL": {"version": "HL"},  # low-level features and the last block's
    "H": {"version": "H"},  # the last block's
}


Carry = tuple[jax.Array, jax.Array | None]  # a block's output, and the bottleneck's sum where there is one


class DenseBlock(nn.Module):
    """Layers of `growth` features; the first sees the block's input, the others X_1 ... X_(i-1) (section 3)."""

    growth: int
    layers: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the layers' outputs (N, H, W, layers growth), concatenated, from `x` (N, H, W, C)."""
        outputs = []
        for i in range(1, self.layers + 1):
            x = nn.relu(Conv(self.growth, 3, name=f"conv{i}")(x))
            outputs.append(x)
            x = jnp.concatenate(outputs, axis=-1)
        return x


class ScannedBlock(nn.Module):
    """A dense block as a step of `nn.scan`, adding its features' share to the bottleneck where there is one."""

    growth: int
    layers: int

    @nn.compact
    def __call__(self, carry: Carry, kernel: jax.Array | None) -> tuple[Carry, None]:
        """Return the block's output and the sum so far, from those before; `kernel` (1, 1, C, M) weighs this block."""
        x, total = carry
        x = DenseBlock(self.growth, self.layers, name="block")(x)
        return (x, total if kernel is None or total is None else total + convolve(x, kernel, (0, 0))), None


class SRDenseNet(nn.Module):
    """Dense blocks on the LR photo, two deconvolutions that double its size, and a reconstruction layer (section 3).

    `version` is the paper's SRDenseNet_H, _HL or _All. `growth` is its k. The first layer's width, `low_features`,
    is not printed: here k. `bottleneck_features` is also the width of the deconvolutions.
    """

    channels: int = 1
    version: str = "All"
    growth: int = 16
    blocks: int = 8
    layers: int = 8
    low_features: int = 16
    bottleneck_features: int = 256

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, 4H, 4W, C) from `x` (N, H, W, C), both in [0, 1]."""
        combine = choose("version", self.version, {"H": self._last, "HL": self._low_and_last, "All": self._all})
        low = nn.relu(Conv(self.low_features, 3, name="conv1")(x))
        first = DenseBlock(self.growth, self.layers, name="block1")(low)
        x = combine(low, first)
        for i in (1, 2):
            deconvolution = Deconvolution(
                self.bottleneck_features, kernel_size=3, stride=2, crop=1, name=f"deconvolution{i}"
            )
            x = nn.relu(deconvolution(x))
        return Conv(self.channels, 3, kernel_init=nn.initializers.normal(0.001), name="reconstruction")(x)

    def _last(self, low: jax.Array, first: jax.Array) -> jax.Array:
        """Return the last block's features."""
        return self._blocks_after(first)[0]

    def _low_and_last(self, low: jax.Array, first: jax.Array) -> jax.Array:
        """Return the low-level features beside the last block's."""
        return jnp.concatenate([low, self._last(low, first)], axis=-1)

    def _all(self, low: jax.Array, first: jax.Array) -> jax.Array:
        """Return the bottleneck of all features: a 1x1 layer, so a sum of shares, with no concatenation."""
        width, depth = self.growth * self.layers, self.bottleneck_features
        split = self.low_features + width
        inputs = self.low_features + self.blocks * width
        kernel, bias = Weights(inputs, depth, 1, kernel_init=nn.initializers.he_normal(), name="bottleneck")()
        shares = kernel[:, :, split:].reshape(self.blocks - 1, 1, 1, width, depth)
        total = convolve(low, kernel[:, :, : self.low_features], (0, 0)) + bias
        total = total + convolve(first, kernel[:, :, self.low_features : split], (0, 0))
        _, total = self._blocks_after(first, total, shares)
        assert total is not None, "a sum stays one"
        return nn.relu(total)

    def _blocks_after(self, first: jax.Array, total: jax.Array | None = None, shares: jax.Array | None = None) -> Carry:
        """Return the last block's output and the bottleneck's sum; blocks 2, 3, ... have equal shapes."""
        blocks = nn.scan(ScannedBlock, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.blocks - 1)
        return blocks(self.growth, self.layers, name="blocks")((first, total), shares)[0]


SPEC = ModelSpec(
    name="srdensenet",
    paper="Tong et al., ICCV 2017",
    build=SRDenseNet,
    scales=(4,),
    variants=VARIANTS,
    receptive_radius=lambda net: 1 + net.blocks * net.layers + 1,  # 3x3, blocks, and 1 for the whole enlargement
)
