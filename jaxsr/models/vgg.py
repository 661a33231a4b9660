"""VGG19's features, for perceptual losses and for matching: Simonyan and Zisserman, "Very Deep Convolutional Networks
for Large-Scale Image Recognition", ICLR 2015, table 1, column E, up to its last convolution.
"""

from collections.abc import Mapping, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.ops.convolution import Conv
from jaxsr.support.errors import UserError, choose

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # features and convolutions between poolings

# "conv3_1" is the first convolution of the third block, before its activation; "relu3_1" is after.
CONVOLUTIONS = tuple(f"conv{i}_{j}" for i, (_, count) in enumerate(BLOCKS, 1) for j in range(1, count + 1))
LAYERS = tuple(layer for name in CONVOLUTIONS for layer in (name, name.replace("conv", "relu")))

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (123.68, 116.779, 103.939)  # RGB

# How photos are normalized for a file's weights: (white, mean, deviation) of the RGB photo, black being 0; or not.
CONVENTIONS = {
    "torchvision": (1.0, IMAGENET_MEAN, IMAGENET_DEVIATION),
    "caffe": (255.0, CAFFE_MEAN, (1.0, 1.0, 1.0)),
    "none": None,
}


class VGG19(nn.Module):
    """The convolutions of VGG19 with zero padding, and 2x2 maximum pooling between blocks, up to the last of `layers`.

    `layers` are names of `LAYERS`; no later layer is computed. `value_range` has the values of black and white in the
    photo, such as (-1, 1) or (0, 255). `convention` is the normalization that the weights expect: "torchvision",
    "caffe", or "none", which passes the photo on as it is (DeblurGAN's way, whatever the weights).
    """

    layers: Sequence[str]
    value_range: tuple[float, float] = (0.0, 1.0)
    convention: str = "torchvision"

    @nn.compact
    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Return {layer: features (N, H', W', F)} of the photos `x` (N, H, W, 3).

        In block i, H' is H halved i - 1 times. Raises UserError for an unknown layer or convention, and for photos
        that are not RGB or too small to be halved so often.
        """
        last = last_convolution(self.layers)
        least = 2 ** (int(last[4]) - 1)
        if x.shape[-1] != 3 or min(x.shape[1:3]) < least:
            raise UserError(f"VGG19 takes RGB photos of at least {least}x{least} pixels for {last}; got {x.shape}")
        x, features = self._normalized(x), {}
        for name in CONVOLUTIONS[: CONVOLUTIONS.index(last) + 1]:
            block, number = int(name[4]), int(name[6])
            if block > 1 and number == 1:
                x = pooled(x)
            features[name] = Conv(BLOCKS[block - 1][0], 3, name=name)(x)
            x = features[name.replace("conv", "relu")] = nn.relu(features[name])
        return {layer: features[layer] for layer in self.layers}

    def _normalized(self, x: jax.Array) -> jax.Array:
        """Return the photo `x`, in `value_range`, as the weights expect it."""
        rule = choose("convention", self.convention, CONVENTIONS)
        if rule is None:
            return x
        (black, white), (top, mean, deviation) = self.value_range, rule
        x = (x - black) * (top / (white - black))
        return (x - jnp.array(mean).reshape(1, 1, 1, 3)) / jnp.array(deviation).reshape(1, 1, 1, 3)


def last_convolution(layers: Sequence[str]) -> str:
    """Return the last convolution that `layers` depend on; raises UserError for an unknown name, or none."""
    if not layers:
        raise UserError("VGG19 needs at least one layer, such as 'relu2_2'; got none")
    places = {layer: i // 2 for i, layer in enumerate(LAYERS)}
    return CONVOLUTIONS[max(choose("layer of VGG19", layer, places) for layer in layers)]


def check_layers(layers: Sequence[str], params: Mapping[str, object], source: str) -> None:
    """Raise UserError where `layers` need convolutions that `params`, from the file `source`, do not hold."""
    last = last_convolution(layers)
    needed = CONVOLUTIONS[: CONVOLUTIONS.index(last) + 1]
    held = next((i for i, name in enumerate(needed) if name not in params), len(needed))
    if held < len(needed):
        there = f"ends with {needed[held - 1]}" if held else "has no first layer"
        raise UserError(f"{source} {there}, but {last} was asked for; choose layers up to there, or give a whole file")


def pooled(x: jax.Array) -> jax.Array:
    """Return the maximum of each 2x2 pixels (N, H // 2, W // 2, F) of `x` (N, H, W, F); an odd last row is dropped.

    Not `nn.max_pool`, whose gradient is slow on a CPU. Where several pixels are the maximum they share the gradient.
    """
    n, height, width, features = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(n, height // 2, 2, width // 2, 2, features).max(axis=(2, 4))
