"""SRCNN: the authors' MATLAB files (`weights_conv1` ...) and PyTorch's `conv1.weight` ..."""

import numpy as np

from jaxsr.weights.importers.layouts import Imported, Tensors, matlab_columns, torch_convolution


def convert(tensors: Tensors) -> Imported:
    """Return SRCNN's options and parameters; the network is the same at every scale, so its scale is not known."""
    if "weights_conv1" in tensors:
        layers, padding = _matlab_layers(tensors), "replicate"
    else:
        layers, padding = [torch_convolution(tensors, f"conv{i}") for i in (1, 2, 3)], "zero"
    kernels = [layer["kernel"] for layer in layers]
    options = {
        "kernel_sizes": tuple(k.shape[0] for k in kernels),
        "features": tuple(k.shape[3] for k in kernels[:2]),
        "channels": kernels[2].shape[3],
        "padding": padding,
    }
    return Imported(options, {"params": {f"conv{i}": layer for i, layer in enumerate(layers, start=1)}})


def _matlab_layers(tensors: Tensors) -> list[dict[str, np.ndarray]]:
    """Return the three convolutions from columns (k², out), (in, k², out) and (in, k²), k² column-major."""
    first = tensors["weights_conv1"][None]
    second = tensors["weights_conv2"]
    third = tensors["weights_conv3"][..., None]
    return [
        {"kernel": matlab_columns(weights), "bias": tensors[f"biases_conv{i}"].reshape(-1)}
        for i, weights in enumerate((first, second, third), start=1)
    ]
