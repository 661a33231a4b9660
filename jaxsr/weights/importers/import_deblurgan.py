"""DeblurGAN: PyTorch's `model.1`, `model.4`, `model.7`, residual blocks `model.10.conv_block` and on, then `model.N`,
two transposed layers and the last. Numbers count the layers without weights, too.
"""

import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.weights.importers.layouts import Imported, Tensors, torch_convolution, torch_deconvolution

FIRST_BLOCK = 10  # after padding, and three times convolution, normalization, activation


def convert(tensors: Tensors) -> Imported:
    """Return DeblurGAN's options, parameters and scale, 1.

    Raises UserError for blocks of one convolution, as in the authors' later code.
    """
    blocks = sum(f"model.{FIRST_BLOCK + i}.conv_block.1.weight" in tensors for i in range(len(tensors)))
    after = FIRST_BLOCK + blocks
    params = {
        "conv1": torch_convolution(tensors, "model.1"),
        "down1": torch_convolution(tensors, "model.4"),
        "down2": torch_convolution(tensors, "model.7"),
        "blocks": _blocks(tensors, blocks),
        "up1": torch_deconvolution(tensors, f"model.{after}"),
        "up2": torch_deconvolution(tensors, f"model.{after + 3}"),
        "conv2": torch_convolution(tensors, f"model.{after + 7}"),
    }
    _, _, channels, features = params["conv1"]["kernel"].shape
    return Imported({"channels": channels, "features": features, "blocks": blocks}, {"params": params}, 1)


def convert_critic(tensors: Tensors) -> dict[str, dict[str, np.ndarray]]:
    """Return the parameters of PatchCritic from `model.0`, `model.2`, `model.5`, `model.8` ..."""
    numbers = sorted(int(name.split(".")[1]) for name in tensors if name.endswith(".weight"))
    return {f"conv{i}": torch_convolution(tensors, f"model.{n}") for i, n in enumerate(numbers, start=1)}


def _blocks(tensors: Tensors, count: int) -> dict[str, dict[str, np.ndarray]]:
    """Return the blocks' two convolutions, stacked on axis 0; without dropout the second has number 5."""
    if not count:
        raise KeyError(f"model.{FIRST_BLOCK}.conv_block.1.weight")
    first = f"model.{FIRST_BLOCK}.conv_block"
    second = next((n for n in (6, 5) if f"{first}.{n}.weight" in tensors), None)
    if second is None:
        raise UserError(f"{first} has one convolution; the published network has two: give weights of that")
    stacked = {}
    for name, number in (("conv1", 1), ("conv2", second)):
        layers = [torch_convolution(tensors, f"model.{FIRST_BLOCK + i}.conv_block.{number}") for i in range(count)]
        stacked[name] = {part: np.stack([layer[part] for layer in layers]) for part in layers[0]}
    return stacked
