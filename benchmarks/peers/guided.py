"""SRNTT's generator: texture of a reference, ready made as maps, at three scales."""

from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers.layers import SubpixelConv, conv
from jaxsr.models.srntt import WIDTHS


class SRNTT(nn.Module):
    """The content extractor, which training leaves as it is, and texture transfer.

    `enlargement` is trained before and has no part in it; it is here for its parameters.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        wide, blocks = module.features, module.blocks
        self.content = Content(module.channels, wide, blocks)
        layers = {f"upsampling{i}": SubpixelConv(wide, wide, 2) for i in (1, 2)}
        self.enlargement = nn.ModuleDict({**layers, "conv1": conv(wide, module.channels, 1)})
        depths = (blocks, max(blocks // 2, 1), max(blocks // 4, 1))
        self.small, self.medium, self.large = (
            Transfer(wide, given, depth, channels)
            for given, depth, channels in zip(WIDTHS, depths, (0, 0, module.channels), strict=True)
        )

    def train(self, mode: bool = True) -> "SRNTT":
        """Set training or inference; the content extractor keeps its running statistics."""
        super().train(mode)
        self.content.eval()
        return self

    def forward(self, x: torch.Tensor, *maps: torch.Tensor) -> torch.Tensor:
        """Return (N, C, 4 H, 4 W) from `x` (N, C, H, W), both in [-1, 1], and three maps, the smallest first."""
        with torch.no_grad():
            x = self.content(x)
        for transfer, given in zip((self.small, self.medium, self.large), maps, strict=True):
            x = transfer(x, given)
        return x


class Residuals(nn.Module):
    """Residual blocks, a convolution and normalization, in the names of jaxsr's."""

    def __init__(self, features: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(ResidualBlock(features) for _ in range(blocks)))
        self.conv2, self.norm2 = bare(features, features), nn.BatchNorm2d(features)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, features, H, W) from `x` of that shape."""
        return self.norm2(self.conv2(self.blocks(x)))


class Content(Residuals):
    """Features of the small photo."""

    def __init__(self, channels: int, features: int, blocks: int) -> None:
        super().__init__(features, blocks)
        self.conv1 = conv(channels, features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, features, H, W) from `x` (N, C, H, W)."""
        x = torch.relu_(self.conv1(x))
        return x + self.residual(x)


class Transfer(Residuals):
    """Features and map through residual blocks, then twice the size, or an image of `channels`."""

    def __init__(self, features: int, given: int, blocks: int, channels: int) -> None:
        super().__init__(features, blocks)
        self.conv1 = conv(features + given, features)
        if channels:
            self.conv3, self.conv4 = conv(features, features // 2), conv(features // 2, channels, 1)
        else:
            self.upsampling = SubpixelConv(features, features, 2)

    def forward(self, x: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """Return (N, features, 2 H, 2 W), or the image (N, channels, H, W), from features and map."""
        x = x + self.residual(torch.relu_(self.conv1(torch.cat([x, given], 1))))
        if hasattr(self, "upsampling"):
            return torch.relu_(self.upsampling(x))
        return torch.tanh(self.conv4(self.conv3(x)))


class ResidualBlock(nn.Module):
    """x + conv, normalization, ReLU, conv, normalization."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = bare(features, features), nn.BatchNorm2d(features)
        self.conv2, self.norm2 = bare(features, features), nn.BatchNorm2d(features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, features, H, W) from `x` of that shape."""
        return x + self.norm2(self.conv2(torch.relu_(self.norm1(self.conv1(x)))))


def bare(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a 3x3 convolution without bias, which normalization would take away."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
