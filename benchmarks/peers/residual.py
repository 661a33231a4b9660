"""SRResNet: residual blocks with batch normalization."""

from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers.layers import SubpixelConv, conv


class SRResNet(nn.Module):
    """Residual blocks on the small photo, then a sub-pixel convolution for each doubling."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        wide = module.features
        self.conv1, self.prelu1 = conv(module.channels, wide, 9), nn.PReLU()
        self.blocks = nn.Sequential(*(ResidualBlock(wide) for _ in range(module.blocks)))
        self.conv2, self.norm2 = conv(wide, wide), nn.BatchNorm2d(wide)
        self.doublings = [f"upsampling{i}" for i in range(1, module.scale.bit_length())]
        for name in self.doublings:
            self.add_module(name, SubpixelConv(wide, wide, 2))
            self.add_module(f"{name}_prelu", nn.PReLU())
        self.conv3 = conv(wide, module.channels, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, scale H, scale W) from `x` (N, C, H, W)."""
        low = self.prelu1(self.conv1(x))
        x = low + self.norm2(self.conv2(self.blocks(low)))
        for name in self.doublings:
            x = self.get_submodule(f"{name}_prelu")(self.get_submodule(name)(x))
        return self.conv3(x)


class ResidualBlock(nn.Module):
    """x + conv, normalization, PReLU, conv, normalization."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = conv(features, features), nn.BatchNorm2d(features)
        self.prelu = nn.PReLU()
        self.conv2, self.norm2 = conv(features, features), nn.BatchNorm2d(features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, features, H, W) from `x` of that shape."""
        y = self.prelu(self.norm1(self.conv1(x)))
        return x + self.norm2(self.conv2(y))
