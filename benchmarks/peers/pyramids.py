"""LapSRN and MS-LapSRN: a level per doubling of the size, with an enlarged image plus a residual."""

from collections import OrderedDict
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers.layers import conv
from jaxsr.models.lapsrn import LEVELS


class Level(nn.Module):
    """What ends a level: a transposed convolution of the features, and the image reconstructed from its result."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.upconv = nn.ConvTranspose2d(module.features, module.features, 3, 2)
        self.residual_conv = conv(module.features, module.channels)
        self.image_upsampling = nn.ConvTranspose2d(module.channels, module.channels, 4, 2, padding=1, bias=False)

    def doubled(self, h: torch.Tensor) -> torch.Tensor:
        """Return the features (N, F, 2H, 2W): the full transposed convolution without its last row and column."""
        return self.upconv(h)[:, :, :-1, :-1]

    def reconstructed(self, h: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """Return the image (N, C, 2H, 2W) from the features of that size and the image before."""
        return self.image_upsampling(image) + self.residual_conv(h)


class OwnLevel(Level):
    """A level of LapSRN: convolutions and their activations."""

    def __init__(self, module: Any) -> None:
        super().__init__(module)
        self.convs = layers(module, "conv", "leaky_relu")

    def forward(self, h: torch.Tensor, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return features and image of twice the size."""
        h = leaky_relu(self.doubled(self.convs(h)))
        return h, self.reconstructed(h, image)


class SharedLevel(Level):
    """The level of MS-LapSRN: a block applied again and again, each time plus the level's input."""

    def __init__(self, module: Any) -> None:
        super().__init__(module)
        self.recursions = module.recursions
        self.block = nn.Sequential(OrderedDict(convs=layers(module, "leaky_relu", "conv")))

    def forward(self, h: torch.Tensor, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return features and image of twice the size."""
        source = h
        for _ in range(self.recursions):
            h = source + self.block(h)
        h = self.doubled(leaky_relu(h))
        return h, self.reconstructed(h, image)


class LapSRN(nn.Module):
    """A first layer, and levels with weights of their own."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.scale = module.scale
        self.input_conv = conv(module.channels, module.features)
        for i in range(LEVELS[module.scale]):
            self.add_module(f"level{i + 1}", OwnLevel(module))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, scale H, scale W) from `x` (N, C, H, W)."""
        input_conv, *levels = self.children()
        h, image = leaky_relu(input_conv(x)), x
        for level in levels:
            h, image = level(h, image)
        return three_quarters(image) if self.scale == 3 else image


class MSLapSRN(nn.Module):
    """A first layer, and one level for all doublings."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.scale = module.scale
        self.input_conv = conv(module.channels, module.features)
        self.level = SharedLevel(module)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, scale H, scale W) from `x` (N, C, H, W)."""
        h, image = self.input_conv(x), x
        for _ in range(LEVELS[self.scale]):
            h, image = self.level(h, image)
        return three_quarters(image) if self.scale == 3 else image


def layers(module: Any, *order: str) -> nn.Sequential:
    """Return a level's `depth` convolutions, each before or after its activation as `order` says."""

    def layer() -> nn.Module:
        parts = {"conv": conv(module.features, module.features), "leaky_relu": nn.LeakyReLU(0.2)}
        return nn.Sequential(OrderedDict((name, parts[name]) for name in order))

    return nn.Sequential(*(layer() for _ in range(module.depth)))


def leaky_relu(x: torch.Tensor) -> torch.Tensor:
    """Return `x`, its negative values times 0.2."""
    return nn.functional.leaky_relu(x, 0.2)


def three_quarters(image: torch.Tensor) -> torch.Tensor:
    """Return `image` (N, C, 4H, 4W) reduced to (N, C, 3H, 3W) as MATLAB's imresize does: mirrored at its borders."""
    for axis in (2, 3):
        ends = (image.narrow(axis, start, 4).flip(axis) for start in (0, image.shape[axis] - 4))
        image = torch.cat([next(ends), image, next(ends)], axis)
    smaller = nn.functional.interpolate(image, scale_factor=0.75, mode="bicubic", antialias=True)
    return smaller[:, :, 3:-3, 3:-3]
