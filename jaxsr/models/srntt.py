"""SRNTT: Zhang, Wang, Lin, Qi, "Image Super-Resolution by Neural Texture Transfer", CVPR 2019. Enlargement x4 with the
texture of a reference photo; feature_matching.py and feature_swap.py make the maps that the network takes.
"""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import batch_norm, depth_to_space
from jaxsr.models.spec import ModelSpec
from jaxsr.models.srresnet import fold_layers
from jaxsr.support.errors import UserError, choose
from jaxsr.support.types import Tree, Variables

SCALE = 4
VARIANTS = {"16": {"blocks": 16}}  # section 4.1: 16, 8 and 4 residual blocks at the three scales

# layer of VGG19 -> how many times larger its map is than the photo; the first is the one that is matched
FACTORS = {"relu3_1": 1, "relu2_1": 2, "relu1_1": 4}
WIDTHS = (256, 128, 64)  # features of those layers

normal = nn.initializers.normal(0.02)  # of every layer in the authors' code


class Maps(NamedTuple):
    """The references' features at the matched positions, one map for each scale of a photo (N, H, W, C).

    `small` (N, H, W, 256) of relu3_1, `medium` (N, 2 H, 2 W, 128) of relu2_1, `large` (N, 4 H, 4 W, 64) of relu1_1.
    """

    small: Tree  # arrays, or whatever leaves a tree has
    medium: Tree
    large: Tree


def map_sizes(height: int, width: int) -> list[tuple[int, int, int]]:
    """Return the (H, W, features) of each of the `Maps` of a photo of `height` and `width`."""
    layers = zip(FACTORS.values(), WIDTHS, strict=True)
    return [(factor * height, factor * width, features) for factor, features in layers]


def near_one(key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> jax.Array:
    """Return the initial gains of a normalization: 1 with a deviation of 0.02."""
    return 1 + normal(key, shape, dtype)


norm = functools.partial(batch_norm, scale_init=near_one)


class ResidualBlock(nn.Module):
    """x + conv, normalization, ReLU, conv, normalization, as a step of `nn.scan`."""

    normalize: bool
    train: bool
    axis: str | None

    @nn.compact
    def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
        """Return (N, H, W, F) of `x` (N, H, W, F), and nothing to stack."""
        y = x
        for i in (1, 2):
            y = Conv(x.shape[-1], 3, use_bias=not self.normalize, kernel_init=normal, name=f"conv{i}")(y)
            y = norm(y, self.train, self.axis, f"norm{i}") if self.normalize else y
            y = nn.relu(y) if i == 1 else y
        return x + y, None


def residuals(x: jax.Array, blocks: int, normalize: bool, train: bool, axis: str | None) -> jax.Array:
    """Return residual blocks and a convolution applied to `x` (N, H, W, F), as "blocks" and "conv2" of the caller."""
    stack = nn.scan(
        ResidualBlock,
        variable_axes={"params": 0, "batch_stats": 0},
        split_rngs={"params": True},
        length=blocks,
    )
    x, _ = stack(normalize, train, axis, name="blocks")(x, None)
    x = Conv(x.shape[-1], 3, use_bias=not normalize, kernel_init=normal, name="conv2")(x)
    return norm(x, train, axis, "norm2") if normalize else x


class ContentExtractor(nn.Module):
    """Features of the photo itself; with `Enlargement` a network like SRGAN's generator, trained first, then frozen."""

    features: int
    blocks: int
    normalize: bool

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, axis: str | None) -> jax.Array:
        """Return (N, H, W, features) of `x` (N, H, W, C)."""
        x = nn.relu(Conv(self.features, 3, kernel_init=normal, name="conv1")(x))
        return x + residuals(x, self.blocks, self.normalize, train, axis)


class Enlargement(nn.Module):
    """The photo enlarged by its own features alone, for the content's training and for photos without references."""

    channels: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, 4 H, 4 W, channels) in [-1, 1] of features `x` (N, H, W, F)."""
        for i in (1, 2):
            x = upsample_x2(x, f"upsampling{i}")
        return jnp.tanh(Conv(self.channels, 1, kernel_init=normal, name="conv1")(x))


def upsample_x2(x: jax.Array, name: str) -> jax.Array:
    """Return `x` (N, H, W, F) enlarged to (N, 2 H, 2 W, F) by a sub-pixel convolution and ReLU."""
    return nn.relu(depth_to_space(Conv(4 * x.shape[-1], 3, kernel_init=normal, name=name)(x), 2))


class Transfer(nn.Module):
    """One scale of texture transfer: features and map together through residual blocks (equation 5).

    It ends with an image of `channels`, or where these are 0 with features for the next scale.
    """

    blocks: int
    normalize: bool
    channels: int = 0

    @nn.compact
    def __call__(self, x: jax.Array, textures: jax.Array, train: bool, axis: str | None) -> jax.Array:
        """Return (N, 2 H, 2 W, F), or the image (N, H, W, channels), of `x` (N, H, W, F) and one of the `Maps`."""
        features = x.shape[-1]
        y = Conv(features, 3, kernel_init=normal, name="conv1")(jnp.concatenate([x, textures], axis=-1))
        x = x + residuals(nn.relu(y), self.blocks, self.normalize, train, axis)
        if not self.channels:
            return upsample_x2(x, "upsampling")
        x = Conv(features // 2, 3, kernel_init=normal, name="conv3")(x)
        return jnp.tanh(Conv(self.channels, 1, kernel_init=normal, name="conv4")(x))


class SRNTT(nn.Module):
    """Content extractor, then texture transfer at three scales with `blocks`, a half and a quarter of them.

    `normalization` is "batch", whose running statistics are the collection "batch_stats", or "none". With `alone` the
    network enlarges by the content's features, without references; its training starts so. SRNTT-l2 is this network,
    trained by reconstruction alone.
    """

    channels: int = 3
    features: int = 64
    blocks: int = 16
    normalization: str = "batch"
    alone: bool = False

    def setup(self) -> None:
        """Make the parts: `content` and `enlargement`, trained first; `small`, `medium` and `large`, the transfer."""
        normalize = choose("normalization", self.normalization, {"batch": True, "none": False})
        self.content = ContentExtractor(self.features, self.blocks, normalize)
        self.enlargement = Enlargement(self.channels)
        self.small, self.medium = (Transfer(count, normalize) for count in self._depths()[:2])
        self.large = Transfer(self._depths()[2], normalize, self.channels)

    def __call__(
        self, x: jax.Array, maps: Maps | None = None, *, train: bool = False, axis: str | None = None
    ) -> jax.Array:
        """Return (N, 4 H, 4 W, C) from `x` (N, H, W, C), both in [-1, 1], and the references' `maps`.

        With `train` photos are normalized by their own batch, over all devices where `axis` names their axis, and
        "batch_stats" has to be mutable; the content extractor is trained with `alone` only, else it is frozen. Raises
        UserError without maps, except in `init`.
        """
        if self.alone and not self.is_initializing():
            return self.enlargement(self.content(x, train, axis))
        if maps is None:
            maps = self._blank_maps(x)
        content = self.content(x, False, axis)
        content = jax.lax.stop_gradient(content) if train else content
        if self.is_initializing():
            self.enlargement(content)
        y = self.small(content, maps.small, train, axis)
        y = self.medium(y, maps.medium, train, axis)
        return self.large(y, maps.large, train, axis)

    def _depths(self) -> tuple[int, int, int]:
        return self.blocks, max(self.blocks // 2, 1), max(self.blocks // 4, 1)

    def _blank_maps(self, x: jax.Array) -> Maps:
        if not self.is_initializing():
            raise UserError("srntt takes a photo with the features of references; name one by --reference")
        n, height, width, _ = x.shape
        return Maps(*(jnp.zeros((n, *size), jnp.float32) for size in map_sizes(height, width)))


def receptive_radius(net: SRNTT) -> int:
    """Return how many pixels of the photo away an output pixel depends on; the context in the maps is smaller."""
    small, medium, large = (2 * depth + 3 for depth in net._depths())  # blocks, and three convolutions around
    return 2 * net.blocks + 2 + small + -(-(medium + -(-large // 2)) // 2)


def fold(net: SRNTT, variables: Variables) -> tuple[SRNTT, Variables]:
    """Return the network without normalization that gives the same outputs as `net` at inference, and its variables.

    Exact: normalization by running statistics is affine, so it goes into the convolution before it.
    """
    statistics = variables.get("batch_stats", {})
    folded = {}
    for name, part in variables["params"].items():
        running = statistics.get(name, {})
        folded[name] = fold_layers(part, running)
        if "blocks" in part:
            folded[name]["blocks"] = fold_layers(part["blocks"], running.get("blocks", {}))
    return net.clone(normalization="none"), {"params": folded}


SPEC = ModelSpec(
    name="srntt",
    paper="Zhang et al., CVPR 2019, arXiv 1903.00834",
    build=SRNTT,
    scales=(SCALE,),
    variants=VARIANTS,
    value_range=(-1.0, 1.0),
    minimum=3,
    needs=("reference",),
    training_arguments={"train": True, "axis": BATCH_AXIS},
    fold=fold,
    receptive_radius=receptive_radius,
)
