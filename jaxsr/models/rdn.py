"""RDN: Zhang, Tian, Kong, Zhong, Fu, "Residual Dense Network for Image Super-Resolution", CVPR 2018."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.convolution import Conv, convolve
from jaxsr.models.ops.layers import Weights, depth_to_space, enlargements, uniform
from jaxsr.models.spec import ModelSpec
from jaxsr.support.errors import UserError, choose

# The model of the result tables, and that of the ablations. The paper's D is `blocks`, its C `layers`, its G
# `growth`; G0, `features`, is 64 in both.
VARIANTS = {
    "16-8-64": {"blocks": 16, "layers": 8, "growth": 64},
    "20-6-32": {"blocks": 20, "layers": 6, "growth": 32},
}

MEANS = {"div2k": (0.4488, 0.4371, 0.4040)}  # RGB mean of the training photos, in [0, 1]


class RDN(nn.Module):
    """Shallow features, residual dense blocks, their global fusion, and sub-pixel enlargement (section 3).

    The network computes on `input_scale` (x - `mean`) and undoes that at the end; the authors' networks take 255 and
    "div2k". `mean` is a name, one number, or one per channel. `remat` computes each block again in the backward pass,
    so that training keeps the maps of one block.
    """

    scale: int
    channels: int = 3
    features: int = 64
    growth: int = 64
    blocks: int = 16
    layers: int = 8
    mean: tuple[float, ...] | str = (0.0,)
    input_scale: float = 1.0
    remat: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, scale H, scale W, C) from `x` (N, H, W, C), both in [0, 1], not clipped."""
        mean = self._mean().astype(x.dtype)
        shallow = Conv(self.features, 3, kernel_init=uniform, name="shallow1")(self.input_scale * (x - mean))
        x = Conv(self.features, 3, kernel_init=uniform, name="shallow2")(shallow)
        x = self._fused_blocks(x)
        x = shallow + Conv(self.features, 3, kernel_init=uniform, name="global_conv")(x)
        for i, factor in enumerate(enlargements(self.scale), start=1):
            x = Conv(factor**2 * self.features, 3, kernel_init=uniform, name=f"enlarge{i}")(x)
            x = depth_to_space(x, factor)
        x = Conv(self.channels, 3, kernel_init=uniform, name="reconstruction")(x)
        return x / self.input_scale + mean

    def _mean(self) -> jax.Array:
        """Return the mean (1, 1, 1, C or 1) that the network subtracts."""
        mean = choose("mean", self.mean, MEANS) if isinstance(self.mean, str) else self.mean
        if len(mean) not in (1, self.channels):
            raise UserError(f"mean={mean} has {len(mean)} numbers for {self.channels} channels; give one per channel")
        return jnp.asarray(mean, jnp.float32).reshape(1, 1, 1, -1)

    def _fused_blocks(self, x: jax.Array) -> jax.Array:
        """Return the 1x1 fusion of all blocks' outputs, F_1 to F_D but not F_0 (section 3.3).

        It is a running sum, each block's share of the kernel being stored with the block.
        """
        bias = self.param("global_fusion_bias", nn.initializers.zeros, (self.features,), jnp.float32)
        block = nn.remat(ResidualDenseBlock, prevent_cse=False) if self.remat else ResidualDenseBlock
        stack = nn.scan(block, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.blocks)
        (_, fused), _ = stack(self.growth, self.layers, self.blocks, name="blocks")((x, jnp.zeros_like(x)), None)
        return fused + bias.reshape(1, 1, 1, -1)


class ResidualDenseBlock(nn.Module):
    """Layers that each see the block's input and all layers before, a 1x1 fusion, and a residual (section 3.2).

    The concatenated maps never exist: each map, once computed, is convolved for all the layers that follow at once.
    Compared with concatenating, the speed is the same and training keeps one copy of each map in place of up to
    `layers`. The kernels keep the layout for concatenated maps.
    """

    growth: int
    layers: int
    blocks: int

    @nn.compact
    def __call__(self, carry: tuple[jax.Array, jax.Array], _: None) -> tuple[tuple[jax.Array, jax.Array], None]:
        """Return (F_d, sum of fused blocks up to d) from (F_{d-1}, sum up to d-1), all (N, H, W, features)."""
        x, fused = carry
        maps = self._dense_layers(x)
        kernel, bias = Weights(x.shape[-1] + self.layers * self.growth, x.shape[-1], 1, name="fusion")()
        starts = [0, *(x.shape[-1] + i * self.growth for i in range(self.layers))]
        for start, y in zip(starts, maps, strict=True):
            x = x + convolve(y, kernel[:, :, start : start + y.shape[-1]], (0, 0))
        x = x + bias
        share = nn.initializers.variance_scaling(1 / (3 * self.blocks), "fan_in", "uniform")
        fused = fused + Conv(fused.shape[-1], 1, use_bias=False, kernel_init=share, name="global_fusion")(x)
        return (x, fused), None

    def _dense_layers(self, x: jax.Array) -> list[jax.Array]:
        """Return the block's input and the outputs of its layers (section 3.2, dense connections)."""
        inputs = [x.shape[-1] + i * self.growth for i in range(self.layers)]
        weights = [Weights(n, self.growth, 3, name=f"conv{i}")() for i, n in enumerate(inputs, start=1)]
        maps, start = [x], 0
        ahead = jnp.concatenate([bias for _, bias in weights], axis=-1)  # partial sums of the layers that follow
        for i, stop in enumerate(inputs):
            kernel = jnp.concatenate([kernel[:, :, start:stop] for kernel, _ in weights[i:]], axis=-1)
            ahead = ahead + convolve(maps[-1], kernel, (1, 1))
            maps.append(nn.relu(ahead[..., : self.growth]))
            ahead, start = ahead[..., self.growth :], stop
        return maps


def receptive_radius(net: RDN) -> int:
    """Return 1 for each 3x3 layer on the LR photo, and 1 for all layers after the first enlargement, at x4 too."""
    return 2 + net.blocks * net.layers + 1 + 1 + 1  # shallow, dense, global_conv, enlarge1, the rest


SPEC = ModelSpec(
    name="rdn",
    paper="Zhang et al., CVPR 2018, arXiv 1802.08797",
    build=RDN,
    scales=(2, 3, 4),
    variants=VARIANTS,
    receptive_radius=receptive_radius,
)
