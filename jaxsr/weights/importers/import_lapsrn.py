"""LapSRN: MatConvNet's `level2_conv1_f` ... and PyTorch's `convt_F1.0.cov_block.0.weight` ..."""

import numpy as np

from jaxsr.support.types import Tree
from jaxsr.weights.importers.layouts import (
    Imported,
    Tensors,
    matlab_layer,
    stacked,
    torch_convolution,
    torch_deconvolution,
)


def convert(tensors: Tensors) -> Imported:
    """Return LapSRN's options, parameters and scale; weights for x4 serve x3 as well."""
    matconvnet = {name.removeprefix("net.params."): x for name, x in tensors.items() if name.endswith(("_f", "_b"))}
    params = _matconvnet_params(matconvnet) if "input_conv_f" in matconvnet else _torch_params(tensors)
    first, level = params["input_conv"], params["level1"]
    options = {
        "channels": first["kernel"].shape[2],
        "features": first["kernel"].shape[3],
        "depth": len(level["convs"]["conv"]["kernel"]),
        "upsampling": f"{len(level['upconv']['kernel'])}x{len(level['upconv']['kernel'])}",
        "use_bias": "bias" in first,
    }
    return Imported(options, {"params": params}, scale=2 ** (len(params) - 1))


def _matconvnet_params(tensors: Tensors) -> dict[str, Tree]:
    """Return all parameters; the authors count levels from the finest, which is 1."""
    count = sum(name.endswith("_upconv_f") for name in tensors)
    params: dict[str, Tree] = {"input_conv": matconvnet_convolution(tensors, "input_conv")}
    for i in range(1, count + 1):
        prefix = f"level{count + 1 - i}"
        depth = sum(name.startswith(f"{prefix}_conv") and name.endswith("_f") for name in tensors)
        params[f"level{i}"] = {
            "convs": stacked(matconvnet_convolution(tensors, f"{prefix}_conv{j}") for j in range(1, depth + 1)),
            "upconv": matconvnet_deconvolution(tensors, f"{prefix}_upconv"),
            "residual_conv": matconvnet_convolution(tensors, f"{prefix}_residual_conv"),
            "image_upsampling": matconvnet_deconvolution(tensors, f"{prefix}_img_up"),
        }
    return params


def _torch_params(tensors: Tensors) -> dict[str, Tree]:
    """Return all parameters; this port counts levels from the coarsest. A block ends with its transposed layer."""
    params: dict[str, Tree] = {"input_conv": torch_convolution(tensors, "conv_input")}
    for i in range(1, 1 + sum(name.startswith("convt_I") for name in tensors)):
        block = f"convt_F{i}.0.cov_block"
        depth = sum(name.startswith(f"{block}.") and name.endswith(".weight") for name in tensors) - 1
        params[f"level{i}"] = {
            "convs": stacked(torch_convolution(tensors, f"{block}.{2 * j}") for j in range(depth)),
            "upconv": torch_deconvolution(tensors, f"{block}.{2 * depth}"),
            "residual_conv": torch_convolution(tensors, f"convt_R{i}"),
            "image_upsampling": torch_deconvolution(tensors, f"convt_I{i}"),
        }
    return params


def matconvnet_convolution(tensors: Tensors, name: str) -> dict[str, np.ndarray]:
    """Return {"kernel" (H, W, in, out), "bias" if there is one} from `name`_f and `name`_b."""
    return matlab_layer(tensors[f"{name}_f"], tensors.get(f"{name}_b"))


def matconvnet_deconvolution(tensors: Tensors, name: str) -> dict[str, np.ndarray]:
    """Return {"kernel" (H, W, in, out), "bias" if there is one} from MatConvNet's transposed (H, W, out, in)."""
    layer = matconvnet_convolution(tensors, name)
    return {**layer, "kernel": layer["kernel"].swapaxes(2, 3)}
