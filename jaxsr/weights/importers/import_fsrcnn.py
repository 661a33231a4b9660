"""FSRCNN: PyTorch's `first_part`, `mid_part`, `last_part`, and the authors' MATLAB files (`weights_conv`, ...)."""

import itertools

import numpy as np

from jaxsr.weights.importers.layouts import (
    Imported,
    Tensors,
    matlab_columns,
    torch_convolution,
    torch_deconvolution,
)


def convert(tensors: Tensors) -> Imported:
    """Return FSRCNN's options and parameters; its 9x9 deconvolution has the same shape at every scale."""
    matlab = _matlab_layers(tensors)
    params = _matlab_params(matlab) if matlab else _torch_params(tensors)
    options = {
        "feature_channels": params["feature_extraction"]["kernel"].shape[3],
        "shrink_channels": params["shrinking"]["kernel"].shape[3],
        "mapping_layers": sum(name.startswith("mapping") for name in params) // 2,  # each has slopes beside
        "channels": params["deconvolution"]["kernel"].shape[3],
        "padding": "replicate" if matlab else "zero",
    }
    return Imported(options, {"params": params})


def _names(count: int) -> list[str]:
    """Return the names of `count` layers before the deconvolution."""
    return ["feature_extraction", "shrinking", *(f"mapping{i}" for i in range(1, count - 2)), "expanding"]


def _torch_params(tensors: Tensors) -> dict[str, dict[str, np.ndarray]]:
    middle = sum(name.startswith("mid_part.") and name.endswith(".bias") for name in tensors)
    sources = [("first_part", 0), *(("mid_part", 2 * i) for i in range(middle))]
    params = {"deconvolution": torch_deconvolution(tensors, "last_part")}
    for name, (part, index) in zip(_names(middle + 1), sources, strict=True):
        params[name] = torch_convolution(tensors, f"{part}.{index}")
        params[f"{name}_prelu"] = {"slope": tensors[f"{part}.{index + 1}.weight"]}
    return params


def _matlab_layers(tensors: Tensors) -> list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Return weights, biases and slopes of each layer, the deconvolution last; [] where it is no file of MATLAB's.

    They are cells, which count from 0 here, or variables that count from 1: `weights_conv1`, `prelu_conv1`.
    """
    form, first = ("{}_conv.{}", 0) if "weights_conv.0" in tensors else ("{}_conv{}", 1)
    numbers = itertools.takewhile(lambda i: form.format("weights", i) in tensors, itertools.count(first))
    return [
        (
            tensors[form.format("weights", i)],
            tensors[form.format("biases", i)],
            tensors.get(form.format("prelu", i)),
        )
        for i in numbers
    ]


def _matlab_params(layers: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]) -> dict[str, dict[str, np.ndarray]]:
    """Return all parameters. A layer of the authors' has one slope, the last has none and its channels exchanged."""
    *before, (weights, bias, _) = layers
    deconvolution = matlab_columns(weights).swapaxes(2, 3)
    params = {"deconvolution": {"kernel": deconvolution, "bias": bias.reshape(-1)}}
    for i, (name, (weights, bias, slope)) in enumerate(zip(_names(len(before)), before, strict=True), start=1):
        kernel = matlab_columns(weights)
        if slope is None:
            raise KeyError(f"prelu_conv{i}")
        params[name] = {"kernel": kernel, "bias": bias.reshape(-1)}
        params[f"{name}_prelu"] = {"slope": np.broadcast_to(slope.reshape(-1), kernel.shape[3:])}
    return params
