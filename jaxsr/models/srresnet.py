"""SRResNet, the generator of SRGAN: Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative
Adversarial Network", CVPR 2017.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import NORM_EPSILON, Initializer, PReLU, batch_norm, depth_to_space
from jaxsr.models.spec import ModelSpec
from jaxsr.support.errors import choose
from jaxsr.support.types import Params, Variables

# Figure 4: k9n64s1, 16 blocks of k3n64s1, k3n256s1 per doubling. It leaves open whether a PReLU has one slope or 64.
VARIANTS = {
    "16": {"blocks": 16},
    "16-channel-slopes": {"blocks": 16, "slopes": "channel"},
    "16-no-normalization": {"blocks": 16, "normalization": "none"},
    "5": {"blocks": 5, "output": "tanh"},  # a common port
    "5-prelu": {"blocks": 5, "output": "tanh", "trunk_prelu": True},  # that port's published weights
}

OUTPUTS = {
    "linear": lambda y: y,
    "symmetric": lambda y: (y + 1) / 2,
    "tanh": lambda y: (jnp.tanh(y) + 1) / 2,
}

# He et al. 2015, equation 15, with slope 0.25. Without normalization each block would double the variance: there
# its weights start at a tenth (Wang et al., ESRGAN, section 3.1).
he_prelu = nn.initializers.variance_scaling(2 / (1 + 0.25**2), "fan_in", "normal")
tenth_of_he = nn.initializers.variance_scaling(0.01 * 2 / (1 + 0.25**2), "fan_in", "normal")


class SharedPReLU(nn.Module):
    """max(x, 0) + a min(x, 0), with one learned slope a for all channels, 0.25 at the start."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the activation of `x` (..., C)."""
        slope = self.param("slope", nn.initializers.constant(0.25), (1,), jnp.float32)
        return jnp.maximum(x, 0) + slope.reshape((1,) * x.ndim) * jnp.minimum(x, 0)


def prelu(slopes: str, name: str) -> nn.Module:
    """Return the PReLU with one slope per "layer" or per "channel"."""
    return choose("slopes", slopes, {"layer": SharedPReLU, "channel": PReLU})(name=name)


class ResidualBlock(nn.Module):
    """x + conv, normalization, PReLU, conv, normalization (figure 4), as a step of `nn.scan`."""

    slopes: str
    normalize: bool
    use_bias: bool
    train: bool
    axis: str | None

    @nn.compact
    def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
        """Return (N, H, W, F) of `x` (N, H, W, F), and nothing to stack."""
        init = he_prelu if self.normalize else tenth_of_he
        y = Conv(x.shape[-1], 3, use_bias=self.use_bias, kernel_init=init, name="conv1")(x)
        y = batch_norm(y, self.train, self.axis, "norm1") if self.normalize else y
        y = prelu(self.slopes, "prelu")(y)
        y = Conv(x.shape[-1], 3, use_bias=self.use_bias, kernel_init=init, name="conv2")(y)
        return x + (batch_norm(y, self.train, self.axis, "norm2") if self.normalize else y), None


class SRResNet(nn.Module):
    """Residual blocks on the LR photo, then a sub-pixel convolution for each doubling (figure 4).

    `slopes` says whether a PReLU has one slope for the "layer" or one per "channel". `normalization` is "batch", whose
    running statistics are the collection "batch_stats", or "none". The paper's enlargement lies in [-1, 1]: `output` is
    "linear" (trained to [0, 1]), "symmetric" ((y + 1) / 2) or "tanh" ((tanh(y) + 1) / 2). `use_bias` is for all
    convolutions. `trunk_prelu` puts a PReLU where the paper normalizes after the blocks.
    """

    scale: int
    channels: int = 3
    features: int = 64
    blocks: int = 16
    slopes: str = "layer"
    normalization: str = "batch"
    output: str = "linear"
    use_bias: bool = True
    trunk_prelu: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False, axis: str | None = None) -> jax.Array:
        """Return (N, scale H, scale W, C) from `x` (N, H, W, C), both in [0, 1].

        With `train` photos are normalized by their own batch, over all devices where `axis` names their axis, and
        "batch_stats" has to be mutable.
        """
        to_range = choose("output", self.output, OUTPUTS)
        shallow = prelu(self.slopes, "prelu1")(self._conv(self.features, 9, "conv1")(x))
        x = shallow + self._trunk(shallow, train, axis)
        for i in range(1, self.scale.bit_length()):
            x = depth_to_space(self._conv(4 * self.features, 3, f"upsampling{i}")(x), 2)
            x = prelu(self.slopes, f"upsampling{i}_prelu")(x)
        return to_range(self._conv(self.channels, 9, "conv3", nn.initializers.normal(0.001))(x))

    def _trunk(self, x: jax.Array, train: bool, axis: str | None) -> jax.Array:
        """Return the residual that the blocks and the convolution after them add to `x` (N, H, W, F)."""
        normalize = choose("normalization", self.normalization, {"batch": True, "none": False})
        blocks = nn.scan(
            ResidualBlock,
            variable_axes={"params": 0, "batch_stats": 0},
            split_rngs={"params": True},
            length=self.blocks,
        )
        x, _ = blocks(self.slopes, normalize, self.use_bias, train, axis, name="blocks")(x, None)
        x = self._conv(self.features, 3, "conv2", he_prelu if normalize else tenth_of_he)(x)
        if self.trunk_prelu:
            return prelu(self.slopes, "prelu2")(x)
        return batch_norm(x, train, axis, "norm2") if normalize else x

    def _conv(self, features: int, size: int, name: str, init: Initializer = he_prelu) -> Conv:
        return Conv(features, size, use_bias=self.use_bias, kernel_init=init, name=name)


def fold(net: SRResNet, variables: Variables) -> tuple[SRResNet, Variables]:
    """Return the network without normalization that gives the same outputs as `net` at inference, and its variables.

    Exact: normalization by running statistics is affine, so it goes into the convolution before it.
    """
    params, statistics = variables["params"], variables.get("batch_stats", {})
    folded = fold_layers(params, statistics)
    folded["blocks"] = fold_layers(params["blocks"], statistics.get("blocks", {}))
    return net.clone(normalization="none", use_bias=True), {"params": folded}


def fold_layers(layers: Params, statistics: Params) -> dict[str, Params]:
    """Return `layers` with "norm1" inside "conv1" and so on, and a bias in every convolution."""
    folded = {}
    for name, layer in layers.items():
        if "kernel" in layer:
            norm = f"norm{name.removeprefix('conv')}"
            folded[name] = _fold_layer(layer, layers.get(norm), statistics.get(norm))
        elif not name.startswith("norm"):
            folded[name] = layer
    return folded


def _fold_layer(conv: Params, norm: Params | None, statistics: Params | None) -> Params:
    """Return the convolution, of one layer or stacked over blocks (B, T, T, C, O), with its normalization."""
    kernel = conv["kernel"]
    bias = conv.get("bias", jnp.zeros((*kernel.shape[:-4], kernel.shape[-1]), kernel.dtype))
    if norm is not None and statistics is not None:
        gain = norm["scale"] / jnp.sqrt(statistics["var"] + NORM_EPSILON)
        kernel = kernel * jnp.expand_dims(gain, (-4, -3, -2))
        bias = (bias - statistics["mean"]) * gain + norm["bias"]
    return {"kernel": kernel, "bias": bias}


SPEC = ModelSpec(
    name="srresnet",
    paper="Ledig et al., CVPR 2017, arXiv 1609.04802",
    build=SRResNet,
    scales=(4, 2),
    variants=VARIANTS,
    training_arguments={"train": True, "axis": BATCH_AXIS},
    fold=fold,
    receptive_radius=lambda net: 4 + 2 * net.blocks + 1 + 3,  # 9x9, blocks, 3x3, and 3 for the whole enlargement
)
