"""Layouts of other frameworks, turned into ours (convolutions HWIO)."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


class WatchedTensors(Mapping[str, np.ndarray]):
    """Tensors that remember which of them an importer has looked up, so that a layer it passes over comes to light."""

    def __init__(self, tensors: Tensors) -> None:
        """Watch `tensors`."""
        self._tensors = tensors
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        x = self._tensors[name]
        self._read.add(name)
        return x

    def __contains__(self, name: object) -> bool:
        return name in self._tensors  # to ask for a layer is not to read it; a Mapping's own would look it up

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def unread_layers(self) -> list[str]:
        """Return the weights that were not looked up; other arrays may be a trainer's notes."""
        others = (name for name in self._tensors if name not in self._read)
        return [name for name in others if self._tensors[name].ndim == 4 or name.endswith(".weight")]


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


def matlab_columns(weights: np.ndarray) -> np.ndarray:
    """Return a kernel (k, k, in, out) from the columns (in, k², out) of SRCNN's and FSRCNN's authors, k² by columns.

    MATLAB drops the last dimension where there is 1 output.
    """
    channels, area, features = weights.shape if weights.ndim == 3 else (*weights.shape, 1)
    side = math.isqrt(area)
    return (
        weights.reshape(channels, area, features).transpose(1, 0, 2).reshape(side, side, channels, features, order="F")
    )


def torch_enlargement(tensors: Tensors, names: Iterable[str]) -> tuple[dict[str, dict[str, np.ndarray]], int]:
    """Return {"enlarge1": ...} of sub-pixel convolutions by PyTorch's names, and the scale that they make together."""
    layers, scale = {}, 1
    for i, name in enumerate(names, start=1):
        layer = torch_convolution(tensors, name)
        factor = math.isqrt(layer["kernel"].shape[3] // layer["kernel"].shape[2])
        layers[f"enlarge{i}"] = torch_pixel_shuffle(layer, factor)
        scale *= factor
    return layers, scale


def stacked_trees(trees: Sequence[dict]) -> dict:
    """Return equal trees as one, each leaf with a new first axis."""
    return {
        name: stacked_trees([tree[name] for tree in trees])
        if isinstance(leaf, dict)
        else np.stack([tree[name] for tree in trees])
        for name, leaf in trees[0].items()
    }


def stacked(layers: Iterable[Mapping[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
    """Return equal convolutions as the one that `nn.scan` keeps, stacked on axis 0; {} for none."""
    layers = list(layers)
    return {"conv": {name: np.stack([layer[name] for layer in layers]) for name in layers[0]}} if layers else {}


def _with_bias(tensors: Tensors, name: str, kernel: np.ndarray) -> dict[str, np.ndarray]:
    bias = tensors.get(f"{name}.bias")
    return {"kernel": kernel} if bias is None else {"kernel": kernel, "bias": bias}
