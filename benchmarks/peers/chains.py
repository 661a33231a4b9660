"""SRCNN, FSRCNN, ESPCN, VDSR and DRCN: one layer after the other."""

from collections import OrderedDict
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers.layers import SubpixelConv, conv


def srcnn(module: Any) -> nn.Module:
    """Return SRCNN with replicated borders."""
    layers, widths = OrderedDict(), (module.channels, *module.features, module.channels)
    for i, size in enumerate(module.kernel_sizes, start=1):
        layers[f"conv{i}"] = nn.Conv2d(widths[i - 1], widths[i], size, padding=size // 2, padding_mode="replicate")
        layers[f"relu{i}"] = nn.ReLU(inplace=True)
    layers.popitem()
    return nn.Sequential(layers)


def fsrcnn(module: Any) -> nn.Module:
    """Return FSRCNN with its 9x9 layer as a transposed convolution."""
    wide, narrow, scale = module.feature_channels, module.shrink_channels, module.scale
    plan = {"feature_extraction": (module.channels, wide, 5), "shrinking": (wide, narrow, 1)}
    plan |= {f"mapping{i + 1}": (narrow, narrow, 3) for i in range(module.mapping_layers)}
    plan |= {"expanding": (narrow, wide, 1)}
    layers = OrderedDict()
    for name, (inputs, outputs, size) in plan.items():
        layers[name] = conv(inputs, outputs, size)
        layers[f"{name}_prelu"] = nn.PReLU(outputs)
    layers["deconvolution"] = nn.ConvTranspose2d(wide, module.channels, 9, scale, padding=4, output_padding=scale - 1)
    return nn.Sequential(layers)


def espcn(module: Any) -> nn.Module:
    """Return ESPCN with tanh and PixelShuffle."""
    first, second = module.features
    layers = OrderedDict(
        conv1=conv(module.channels, first, 5),
        tanh1=nn.Tanh(),
        conv2=conv(first, second),
        tanh2=nn.Tanh(),
        conv3=SubpixelConv(second, module.channels, module.scale),
    )
    return nn.Sequential(layers)


class VDSR(nn.Module):
    """3x3 layers that compute what the bicubic enlargement lacks."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.first = conv(module.channels, module.features)
        self.hidden = nn.ModuleList(conv(module.features, module.features) for _ in range(module.depth - 2))
        self.last = conv(module.features, module.channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, H, W) from the enlarged `x` of that shape."""
        h = torch.relu_(self.first(x))
        for layer in self.hidden:
            h = torch.relu_(layer(h))
        return x + self.last(h)


class DRCN(nn.Module):
    """One convolution applied again and again, one reconstruction of each state, their weighted sum."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        wide = module.features
        self.weights = nn.Parameter(torch.empty(module.recursions))
        self.embedding1 = conv(module.channels, wide)
        self.embedding2 = conv(wide, wide)
        layers = {"shared": conv(wide, wide), "reconstruction1": conv(wide, wide)}
        self.recursion = nn.ModuleDict({**layers, "reconstruction2": conv(wide, module.channels)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, H, W) from the enlarged `x` of that shape."""
        h = torch.relu_(self.embedding2(torch.relu_(self.embedding1(x))))
        sr = torch.zeros_like(x)
        for weight in self.weights:
            h = torch.relu_(self.recursion["shared"](h))
            y = torch.relu_(self.recursion["reconstruction1"](h))
            sr = sr + weight * (x + self.recursion["reconstruction2"](y))
        return sr
