"""Layouts of other frameworks, turned into ours (convolutions HWIO)."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np

from jaxsr.support.model_options import Option
from jaxsr.support.types import Tree

Tensors: TypeAlias = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Imported:
    """The result of an importer: constructor options, the variables, and the scale where the shapes determine it."""

    options: dict[str, Option]
    variables: dict[str, dict[str, Tree]]
    scale: int | None = None


def torch_convolution(tensors: Tensors, name: str) -> dict[str, np.ndarray]:
    """Return {"kernel" (H, W, in, out), "bias" if there is one} from PyTorch's (out, in, H, W)."""
    return _with_bias(tensors, name, tensors[f"{name}.weight"].transpose(2, 3, 1, 0))


def torch_deconvolution(tensors: Tensors, name: str) -> dict[str, np.ndarray]:
    """Return {"kernel" (H, W, in, out), "bias" if there is one} from PyTorch's transposed (in, out, H, W)."""
    return _with_bias(tensors, name, tensors[f"{name}.weight"].transpose(2, 3, 0, 1))


def torch_pixel_shuffle(convolution: dict[str, np.ndarray], scale: int) -> dict[str, np.ndarray]:
    """Return a convolution whose outputs, ordered (c, dy, dx) for PyTorch's PixelShuffle, are ordered (dy, dx, c)."""

    def reorder(x: np.ndarray) -> np.ndarray:
        *front, depth = x.shape
        x = x.reshape(*front, depth // scale**2, scale, scale)
        return np.moveaxis(x, -3, -1).reshape(*front, depth)

    return {name: reorder(x) for name, x in convolution.items()}


def matlab_layer(kernel: np.ndarray, bias: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return {"kernel" (H, W, in, out), "bias" if there is one} from MatConvNet's layout, which is the same.

    MATLAB drops trailing dimensions of 1 and writes biases as rows.
    """
    layer = {"kernel": kernel.reshape(kernel.shape + (1,) * (4 - kernel.ndim))}
    return layer if bias is None else {**layer, "bias": bias.reshape(-1)}


def stacked(layers: Iterable[Mapping[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
    """Return equal convolutions as the one that `nn.scan` keeps, stacked on axis 0; {} for none."""
    layers = list(layers)
    return {"conv": {name: np.stack([layer[name] for layer in layers]) for name in layers[0]}} if layers else {}


def _with_bias(tensors: Tensors, name: str, kernel: np.ndarray) -> dict[str, np.ndarray]:
    bias = tensors.get(f"{name}.bias")
    return {"kernel": kernel} if bias is None else {"kernel": kernel, "bias": bias}
