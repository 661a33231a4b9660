"""VDSR: MatConvNet's `model.weight.0` ..., and PyTorch's `input`, `residual_layer.N.conv`, `output`."""

import numpy as np

from jaxsr.weights.importers.layouts import Imported, Tensors, matlab_layer, stacked, torch_convolution


def convert(tensors: Tensors) -> Imported:
    """Return VDSR's options and parameters; one network serves all scales, so its scale is not known."""
    layers = _matconvnet_layers(tensors) if "model.weight.0" in tensors else _torch_layers(tensors)
    first, *hidden, last = layers
    options = {
        "depth": len(layers),
        "features": first["kernel"].shape[3],
        "channels": last["kernel"].shape[3],
        "use_bias": "bias" in first,
    }
    return Imported(options, {"params": {"first": first, "hidden": stacked(hidden)["conv"], "last": last}})


def _torch_layers(tensors: Tensors) -> list[dict[str, np.ndarray]]:
    hidden = sum(name.startswith("residual_layer.") and name.endswith(".weight") for name in tensors)
    names = ["input", *(f"residual_layer.{i}.conv" for i in range(hidden)), "output"]
    return [torch_convolution(tensors, name) for name in names]


def _matconvnet_layers(tensors: Tensors) -> list[dict[str, np.ndarray]]:
    depth = sum(name.startswith("model.weight.") for name in tensors)
    return [matlab_layer(tensors[f"model.weight.{i}"], tensors[f"model.bias.{i}"]) for i in range(depth)]
