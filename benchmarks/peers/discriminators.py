"""SRGAN's and SRNTT's discriminators: convolutions that halve a patch again and again, then two dense layers."""

from collections import OrderedDict
from typing import Any

from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers.layers import FirstDense


def srgan(network: Any, shape: tuple[int, ...]) -> nn.Module:
    """Return SRGAN's in the size of jaxsr's `network`, for photos of `shape` (H, W, C)."""
    return halving(network, shape, first_normalized=False, use_bias=True)


def srntt(network: Any, shape: tuple[int, ...]) -> nn.Module:
    """Return SRNTT's, all of whose layers are normalized and have no bias."""
    return halving(network, shape, first_normalized=True, use_bias=False)


def halving(network: Any, shape: tuple[int, ...], *, first_normalized: bool, use_bias: bool) -> nn.Module:
    """Return the layers of either."""
    height, width, channels = shape
    layers = OrderedDict()
    for i in range(1, 2 * network.stages + 1):
        inputs, channels = channels, network.features * 2 ** ((i - 1) // 2)
        layers[f"conv{i}"] = nn.Conv2d(inputs, channels, 3, 2 - i % 2, padding=1, bias=use_bias)
        if i > 1 or first_normalized:
            layers[f"norm{i}"] = nn.BatchNorm2d(channels)
        layers[f"leaky{i}"] = nn.LeakyReLU(0.2)
    for _ in range(network.stages):
        height, width = -(-height // 2), -(-width // 2)
    layers["flat"] = nn.Flatten()
    layers["dense1"] = FirstDense(channels, height * width, network.hidden)
    layers["leaky_dense"] = nn.LeakyReLU(0.2)
    layers["dense2"] = nn.Linear(network.hidden, 1)
    return nn.Sequential(layers)
