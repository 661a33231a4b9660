"""SRNTT: Zhang, Wang, Lin, Qi, "Image Super-Resolution by Neural Texture Transfer", CVPR 2019. Enlargement x4 with the
texture of a reference photo; feature_matching.py and feature_swap.py make the maps that the network takes.
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.models.model import ModelSpec
from jaxsr.models.ops.convolution import Conv
from jaxsr.models.ops.layers import depth_to_space
from jaxsr.models.srresnet import batch_norm, fold_layers
from jaxsr.support.errors import UserError, choose

SCALE = 4
VARIANTS = {"16": {"blocks": 16}}  # section 4.1: 16, 8 and 4 residual blocks at the three scales

# layer of VGG19 -> how many times larger its map is than the small photo; the first is the one that is matched
FACTORS = {"relu3_1": 1, "relu2_1": 2, "relu1_1": 4}
WIDTHS = (256, 128, 64)  # features of those layers

normal = nn.initializers.normal(0.02)  # of every layer in the authors' code


class Maps(NamedTuple):
    """The references' features at the places that were matched, one map for each scale.

    `small` (N, H, W, 256) of relu3_1, `medium` (N, 2 H, 2 W, 128) of relu2_1, `large` (N, 4 H, 4 W, 64) of relu1_1.
    """

    small: Any
    medium: Any
    large: Any


def map_sizes(height: int, width: int) -> list[tuple[int, int, int]]:
    """Return the (H, W, features) of each of the `Maps` of a small photo of `height` and `width`."""
    layers = zip(FACTORS.values(), WIDTHS, strict=True)
    return [(factor * height, factor * width, features) for factor, features in layers]


def near_one(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
    """Return the first gains of a normalization: 1 with a deviation of 0.02."""
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
    """Return what residual blocks and a convolution make of `x` (N, H, W, F), as "blocks" and "conv2" of the caller."""
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
    """Features of the small photo itself; with `Enlargement` a network like SRGAN's, learned before and then kept."""

    features: int
    blocks: int
    normalize: bool

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, axis: str | None) -> jax.Array:
        """Return (N, H, W, features) of `x` (N, H, W, C)."""
        x = nn.relu(Conv(self.features, 3, kernel_init=normal, name="conv1")(x))
        return x + residuals(x, self.blocks, self.normalize, train, axis)


class Enlargement(nn.Module):
    """The enlarged photo by its own features alone, which training matches with the references."""

    channels: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return (N, 4 H, 4 W, channels) in [-1, 1] of features `x` (N, H, W, F)."""
        for i in (1, 2):
            x = doubled(x, f"upsampling{i}")
        return jnp.tanh(Conv(self.channels, 1, kernel_init=normal, name="conv1")(x))


def doubled(x: jax.Array, name: str) -> jax.Array:
    """Return features (N, 2 H, 2 W, F) of `x` (N, H, W, F) by a sub-pixel convolution and ReLU."""
    return nn.relu(depth_to_space(Conv(4 * x.shape[-1], 3, kernel_init=normal, name=name)(x), 2))


class Transfer(nn.Module):
    """One scale of texture transfer: features and map together through residual blocks (equation 5).

    It ends with an image of `channels`, or where these are 0 with features for the next scale.
    """

    blocks: int
    normalize: bool
    channels: int = 0

    @nn.compact
    def __call__(self, x: jax.Array, given: jax.Array, train: bool, axis: str | None) -> jax.Array:
        """Return (N, 2 H, 2 W, F), or the image (N, H, W, channels), of `x` (N, H, W, F) and the map `given`."""
        features = x.shape[-1]
        y = Conv(features, 3, kernel_init=normal, name="conv1")(jnp.concatenate([x, given], axis=-1))
        x = x + residuals(nn.relu(y), self.blocks, self.normalize, train, axis)
        if not self.channels:
            return doubled(x, "upsampling")
        x = Conv(features // 2, 3, kernel_init=normal, name="conv3")(x)
        return jnp.tanh(Conv(self.channels, 1, kernel_init=normal, name="conv4")(x))


class SRNTT(nn.Module):
    """Content extractor, then texture transfer at three scales with `blocks`, a half and a quarter of them.

    `normalization` is "batch", whose running statistics are the collection "batch_stats", or "none". With `alone` it
    enlarges by the content's features, without references: so it is trained first. SRNTT-l2 is this network, trained by
    reconstruction alone.
    """

    channels: int = 3
    features: int = 64
    blocks: int = 16
    normalization: str = "batch"
    alone: bool = False

    def setup(self) -> None:
        """Name the parts: `content` and `enlargement`, learned before; `small`, `medium` and `large`, the transfer."""
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
        "batch_stats" has to be mutable; the content extractor only where it is `alone`, else it stays as it is. Raises
        UserError without maps, except by `init`.
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
        return Maps(*(jnp.zeros((n, *size)) for size in map_sizes(height, width)))


def receptive_radius(net: SRNTT) -> int:
    """Return how far a pixel's result sees in the small photo; maps are seen less far."""
    small, medium, large = (2 * depth + 3 for depth in net._depths())  # blocks, and three convolutions around
    return 2 * net.blocks + 2 + small + -(-(medium + -(-large // 2)) // 2)


def fold(net: SRNTT, variables: Mapping[str, Any]) -> tuple[SRNTT, dict[str, Any]]:
    """Return the network without normalization that gives the same outputs as `net` at inference, and its variables.

    Exact: normalization by running statistics is affine, so it goes into the convolution before it.
    """
    statistics = variables.get("batch_stats", {})
    folded = {}
    for name, part in variables["params"].items():
        found = statistics.get(name, {})
        folded[name] = fold_layers(part, found)
        if "blocks" in part:
            folded[name]["blocks"] = fold_layers(part["blocks"], found.get("blocks", {}))
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
