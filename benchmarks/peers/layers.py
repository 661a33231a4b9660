"""Layers that several peers share, and the weights of all, taken from jaxsr's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

# PyTorch's name of what a layer holds, and the names it may have in jaxsr.
LEAVES = {"weight": ("kernel", "slope", "scale"), "running_mean": ("mean",), "running_var": ("var",)}


def conv(inputs: int, outputs: int, size: int = 3) -> nn.Conv2d:
    """Return a convolution that keeps height and width, padded with zeros."""
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


class SubpixelConv(nn.Conv2d):
    """A 3x3 convolution and PixelShuffle, from (N, inputs, H, W) to (N, outputs, scale H, scale W)."""

    def __init__(self, inputs: int, outputs: int, scale: int) -> None:
        super().__init__(inputs, scale**2 * outputs, 3, padding=1)
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the enlarged `x`."""
        return nn.functional.pixel_shuffle(super().forward(x), self.scale)


class FirstDense(nn.Linear):
    """The dense layer behind the convolutions: (N, channels pixels), as PyTorch flattens a map, to (N, outputs)."""

    def __init__(self, channels: int, pixels: int, outputs: int) -> None:
        super().__init__(channels * pixels, outputs)
        self.channels = channels


def copy_weights(network: nn.Module, leaves: Mapping[str, Any]) -> None:
    """Copy a jaxsr network's `leaves`, {path: array}, to the layers of `network` that carry the same names.

    Numbers are places in stacked leaves: `blocks.3.conv1.weight` is leaves["blocks/conv1/kernel"][3].
    """
    for name, tensor in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            layer = network.get_submodule(name.rpartition(".")[0])
            tensor.copy_(torch.from_numpy(_in_torch_order(_leaf(leaves, name), layer)))


def _leaf(leaves: Mapping[str, Any], name: str) -> np.ndarray:
    parts = name.split(".")
    *layer, kind = (part for part in parts if not part.isdigit())
    paths = ["/".join((*layer, leaf)) for leaf in LEAVES.get(kind, (kind,))]
    stacked = next(leaves[path] for path in paths if path in leaves)
    return np.asarray(stacked)[tuple(int(part) for part in parts if part.isdigit())]


def _in_torch_order(leaf: np.ndarray, layer: nn.Module) -> np.ndarray:
    """Return a copy of `leaf` with the axes, and before a shuffle with the channels, as PyTorch orders them."""
    if isinstance(layer, SubpixelConv):  # (dy, dx, c) to (c, dy, dx)
        leaf = leaf.reshape(*leaf.shape[:-1], layer.scale**2, -1).swapaxes(-1, -2).reshape(leaf.shape)
    if isinstance(layer, FirstDense) and leaf.ndim == 2:  # (h, w, c) to (c, h, w)
        leaf = leaf.reshape(-1, layer.channels, leaf.shape[1]).swapaxes(0, 1).reshape(leaf.shape)
    if isinstance(layer, nn.Linear) and leaf.ndim == 2:
        leaf = leaf.T
    if leaf.ndim == 4:
        leaf = leaf.transpose((2, 3, 0, 1) if isinstance(layer, nn.ConvTranspose2d) else (3, 2, 0, 1))
    return leaf.copy()
