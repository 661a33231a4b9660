"""DeblurGAN's generator and its patch critic."""

from collections import OrderedDict
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]


class DeblurGAN(nn.Module):
    """Residual blocks at a quarter of the size, between strided and transposed convolutions, plus the photo."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        wide, deep = module.features, 4 * module.features
        self.conv1 = reflecting(module.channels, wide, 7)
        self.down1 = nn.Conv2d(wide, 2 * wide, 3, 2, padding=1)
        self.down2 = nn.Conv2d(2 * wide, deep, 3, 2, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(deep, module.dropout) for _ in range(module.blocks)))
        self.up1 = nn.ConvTranspose2d(deep, 2 * wide, 3, 2, padding=1, output_padding=1)
        self.up2 = nn.ConvTranspose2d(2 * wide, wide, 3, 2, padding=1, output_padding=1)
        self.conv2 = reflecting(wide, module.channels, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, H, W) from `x` of that shape, both in [-1, 1]."""
        y = x
        for layer in (self.conv1, self.down1, self.down2):
            y = torch.relu_(normalized(layer(y)))
        y = self.blocks(y)
        for layer in (self.up1, self.up2):
            y = torch.relu_(normalized(layer(y)))
        return torch.clamp(x + torch.tanh(self.conv2(y)), -1, 1)


class ResidualBlock(nn.Module):
    """x + conv, normalization, ReLU, dropout, conv, normalization."""

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.conv1, self.conv2 = (reflecting(features, features, 3) for _ in range(2))
        self.dropout = dropout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, features, H, W) from `x` of that shape."""
        y = torch.relu_(normalized(self.conv1(x)))
        y = nn.functional.dropout(y, self.dropout, self.training) if self.dropout else y
        return x + normalized(self.conv2(y))


def patch_critic(network: Any, shape: tuple[int, ...]) -> nn.Module:
    """Return the critic in the size of jaxsr's `network`, for photos of `shape` (H, W, C)."""
    widths = [shape[2], *(network.features * min(2**i, 8) for i in range(network.depth + 1)), 1]
    layers = OrderedDict()
    for i in range(network.depth + 2):
        stride = 2 if i < network.depth else 1
        layers[f"conv{i + 1}"] = nn.Conv2d(widths[i], widths[i + 1], 4, stride, padding=2)
        if 0 < i <= network.depth:
            layers[f"norm{i + 1}"] = nn.InstanceNorm2d(widths[i + 1])
        layers[f"leaky{i + 1}"] = nn.LeakyReLU(0.2)
    layers.popitem()
    return nn.Sequential(layers)


def reflecting(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    """Return a convolution that keeps height and width by reflection at the borders."""
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, padding_mode="reflect")


def normalized(x: torch.Tensor) -> torch.Tensor:
    """Return `x` with each photo's channels at mean 0 and variance 1."""
    return nn.functional.instance_norm(x)
