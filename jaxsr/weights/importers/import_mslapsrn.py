"""MS-LapSRN: MatConvNet's `input_conv_f`, `conv1_f` ..., `upconv_f`, `residual_conv_f`, `img_up_f`, with any prefix."""

import re

import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.weights.importers.import_lapsrn import matconvnet_convolution, matconvnet_deconvolution
from jaxsr.weights.importers.layouts import Imported, Tensors, stacked

# Of all prefixes the shortest: `residual_conv` is itself, not a `conv` of some `residual`.
_NAME = re.compile(r"(?:\w+?_)??(input_conv|residual_conv|upconv|img_up|conv_?(\d+))_([fb])")


def convert(tensors: Tensors) -> Imported:
    """Return MS-LapSRN's options and parameters; these fit every scale, so the scale is not known.

    The recursions are counted in the file's list of layers; where that is missing, the caller has to give them. The
    skip is not in the file: it is taken to be "SS", shared source, as in the published files.
    """
    shared, depth = _shared(tensors)
    level = {
        "block": {"convs": stacked(matconvnet_convolution(shared, f"conv{i}") for i in range(1, depth + 1))},
        "upconv": matconvnet_deconvolution(shared, "upconv"),
        "residual_conv": matconvnet_convolution(shared, "residual_conv"),
        "image_upsampling": matconvnet_deconvolution(shared, "img_up"),
    }
    first = matconvnet_convolution(shared, "input_conv")
    features = first["kernel"].shape[3]
    options = {
        "channels": first["kernel"].shape[2],
        "features": features,
        "depth": depth,
        "recursions": _recursions(tensors, features, depth),
        "skip": "SS",
        "use_bias": "bias" in first,
    }
    return Imported(options, {"params": {"input_conv": first, "level": level}})


def _shared(tensors: Tensors) -> tuple[dict[str, np.ndarray], int]:
    """Return the arrays by the names of the first line above, and how many convolutions a block has.

    Raises UserError where the levels of the file do not share their weights.
    """
    shared: dict[str, np.ndarray] = {}
    depth = 0
    for name, x in tensors.items():
        match = _NAME.fullmatch(name.rsplit(".", 1)[-1])
        if match is None:
            continue
        layer, number, kind = match.groups()
        depth = max(depth, int(number or 0))
        plain = f"conv{int(number)}_{kind}" if number else f"{layer}_{kind}"
        if plain in shared and not np.array_equal(shared[plain], x):
            raise UserError(f"the levels do not share {plain}: {name} differs from another; is it a file of lapsrn?")
        shared[plain] = x
    return shared, depth


def _recursions(tensors: Tensors, features: int, depth: int) -> int | None:
    """Return how often a block of `depth` convolutions runs at each level, None where the layers do not determine it.

    Every level has one transposed convolution of the features, also where one file holds networks for several scales.
    """
    sizes = {
        name.removesuffix("size"): tuple(x.ravel())[2:4] for name, x in tensors.items() if name.endswith(".block.size")
    }
    inner = [layer for layer, size in sizes.items() if size == (features, features)]
    levels = sum(f"{layer}upsample" in tensors for layer in inner)
    times, rest = divmod(len(inner) - levels, depth * levels) if levels and depth else (0, 1)
    return times if times and not rest else None
