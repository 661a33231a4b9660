"""ZSSR's training step in PyTorch, eager, on one photo after the other, where jaxsr computes."""

from collections import OrderedDict
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers.accelerator import placed, planes, tensor
from benchmarks.peers.layers import copy_weights
from jaxsr.imaging.resize import resize_matrix
from jaxsr.support.trees import by_path


class ZSSR(nn.Module):
    """Eight 3x3 layers without biases that compute what the bicubic enlargement lacks."""

    def __init__(self, params: Any, depth: int = 8, features: int = 64, channels: int = 3) -> None:
        super().__init__()
        widths = [channels, *[features] * (depth - 1), channels]
        layers = OrderedDict()
        for i in range(1, depth + 1):
            layers[f"conv{i}"] = nn.Conv2d(widths[i - 1], widths[i], 3, padding=1, bias=False)
            layers[f"relu{i}"] = nn.ReLU(inplace=True)
        layers.popitem()
        self.layers = nn.Sequential(layers)
        copy_weights(self.layers, by_path(params))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, H, W) from the enlarged `x` of that shape."""
        return x + self.layers(x)


class Trainer:
    """The training on one photo (H, W, C) with its loss map (H, W, 1) and kernel (k, k)."""

    def __init__(self, params: Any, source: Any, scale: int, crop: int) -> None:
        photo, weights, kernel = (np.array(array) for array in source)
        self.photo, self.weights = planes(photo[None]), planes(weights[None])
        self.kernel, self.scale, self.crop = tensor(kernel[None, None]), scale, crop
        self.enlargement = tensor(resize_matrix(crop // scale, crop, float(scale)))
        self.network = placed(ZSSR(params))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)

    def step(self) -> torch.Tensor:
        """Make one step on a random crop; return its loss, a scalar where the network is."""
        ends = (side - self.crop + 1 for side in self.photo.shape[2:])
        top, left = (int(torch.randint(end, ())) for end in ends)
        place = (..., slice(top, top + self.crop), slice(left, left + self.crop))
        father, weights = self.photo[place], self.weights[place]
        loss = (weights * (self.network(self.enlarged_son(father)) - father).abs()).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def enlarged_son(self, father: torch.Tensor) -> torch.Tensor:
        """Return the crop (1, C, H, W) reduced by the kernel and enlarged by bicubic."""
        before, after = self.kernel.shape[-1] // 2, (self.kernel.shape[-1] - 1) // 2
        for dimension in (2, 3):  # PyTorch's own "reflect" does not repeat the outermost pixel
            first = father.narrow(dimension, 0, before)
            last = father.narrow(dimension, father.shape[dimension] - after, after)
            father = torch.cat([first.flip(dimension), father, last.flip(dimension)], dim=dimension)
        son = nn.functional.conv2d(father.transpose(0, 1), self.kernel, stride=self.scale).transpose(0, 1)
        return self.enlargement @ son @ self.enlargement.T

    @torch.inference_mode()
    def error(self) -> float:
        """Return the mean squared error of the restored son of a photo of the crop's size."""
        return (self.network(self.enlarged_son(self.photo)) - self.photo).square().mean().item()
