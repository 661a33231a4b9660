"""RDN and SRDenseNet: layers that see the concatenated outputs of the layers before."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers.layers import SubpixelConv, conv
from jaxsr.models.rdn import enlargements


class RDN(nn.Module):
    """Shallow features, residual dense blocks, their global fusion, and sub-pixel enlargement."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        wide = module.features
        self.shallow1 = conv(module.channels, wide)
        self.shallow2 = conv(wide, wide)
        self.blocks = nn.ModuleList(
            ResidualDenseBlock(wide, module.growth, module.layers) for _ in range(module.blocks)
        )
        self.global_fusion = conv(module.blocks * wide, wide, 1)
        self.global_conv = conv(wide, wide)
        self.enlargements = [f"enlarge{i + 1}" for i in range(len(enlargements(module.scale)))]
        for name, factor in zip(self.enlargements, enlargements(module.scale), strict=True):
            self.add_module(name, SubpixelConv(wide, wide, factor))
        self.reconstruction = conv(wide, module.channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, scale H, scale W) from `x` (N, C, H, W)."""
        shallow = self.shallow1(x)
        x, fused = self.shallow2(shallow), []
        for block in self.blocks:
            x = block(x)
            fused.append(x)
        x = shallow + self.global_conv(self.global_fusion(torch.cat(fused, 1)))
        for name in self.enlargements:
            x = self.get_submodule(name)(x)
        return self.reconstruction(x)


class ResidualDenseBlock(nn.Module):
    """Layers that each see the block's input and all layers before, a 1x1 fusion, and a residual."""

    def __init__(self, features: int, growth: int, layers: int) -> None:
        super().__init__()
        for i in range(layers):
            self.add_module(f"conv{i + 1}", conv(features + i * growth, growth))
        self.fusion = conv(features + layers * growth, features, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, features, H, W) from `x` of that shape."""
        *layers, fusion = self.children()
        maps = x
        for layer in layers:
            maps = torch.cat([maps, torch.relu_(layer(maps))], 1)
        return x + fusion(maps)


def joined(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return RDN's `leaves` and the paper's global fusion layer, of which jaxsr's blocks hold their shares."""
    shares = leaves["blocks/global_fusion/kernel"]
    kernel = shares.reshape(1, 1, -1, shares.shape[-1])
    return {**leaves, "global_fusion/kernel": kernel, "global_fusion/bias": leaves["global_fusion_bias"]}


class SRDenseNet(nn.Module):
    """Dense blocks, a bottleneck of all features, two deconvolutions that double the size, and a last layer."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        low, wide, deep = module.low_features, module.growth * module.layers, module.bottleneck_features
        self.conv1 = conv(module.channels, low)
        self.block1 = DenseBlock(low, module.growth, module.layers)
        rest = (DenseBlock(wide, module.growth, module.layers) for _ in range(module.blocks - 1))
        self.blocks = nn.ModuleList(nn.Sequential(OrderedDict(block=block)) for block in rest)
        self.bottleneck = conv(low + module.blocks * wide, deep, 1)
        self.deconvolution1 = nn.ConvTranspose2d(deep, deep, 3, 2, padding=1, output_padding=1)
        self.deconvolution2 = nn.ConvTranspose2d(deep, deep, 3, 2, padding=1, output_padding=1)
        self.reconstruction = conv(deep, module.channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, 4H, 4W) from `x` (N, C, H, W)."""
        features = [torch.relu_(self.conv1(x))]
        for block in (self.block1, *self.blocks):
            features.append(block(features[-1]))
        x = torch.relu_(self.bottleneck(torch.cat(features, 1)))
        x = torch.relu_(self.deconvolution2(torch.relu_(self.deconvolution1(x))))
        return self.reconstruction(x)


class DenseBlock(nn.Module):
    """Layers of which the first sees the block's input, the others the concatenated outputs before."""

    def __init__(self, inputs: int, growth: int, layers: int) -> None:
        super().__init__()
        for i in range(layers):
            self.add_module(f"conv{i + 1}", conv(i * growth or inputs, growth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layers' outputs (N, layers growth, H, W), concatenated, from `x` (N, inputs, H, W)."""
        first, *layers = self.children()
        maps = torch.relu_(first(x))
        for layer in layers:
            maps = torch.cat([maps, torch.relu_(layer(maps))], 1)
        return maps
