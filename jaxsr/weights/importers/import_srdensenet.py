"""SRDenseNet: PyTorch's `conv`, `dense_blocks.N.block.M`, `bottleneck`, `deconv` and `reconstruction`.

The authors published none, and ports differ in names: layers are known by their shapes, and by numbers in the names.
"""

import re
from collections import defaultdict

from jaxsr.support.errors import UserError
from jaxsr.weights.importers.layouts import (
    Imported,
    Tensors,
    stacked_trees,
    torch_convolution,
    torch_deconvolution,
)

_DECONVOLUTION = re.compile(r"deconv|convt|transpos|upsampl|upscal|(?:^|\.)up", re.IGNORECASE)


def convert(tensors: Tensors) -> Imported:
    """Return SRDenseNet's options, parameters and scale, 4."""
    low, dense, bottleneck, deconvolutions, last = _roles(tensors)
    blocks = [[torch_convolution(tensors, name) for name in names] for names in _blocks(dense)]
    growth, layers = blocks[0][0]["kernel"].shape[3], len(blocks[0])
    trees = [{f"conv{i}": layer for i, layer in enumerate(block, start=1)} for block in blocks]
    _check_inputs(blocks, growth)
    params = {
        "conv1": torch_convolution(tensors, low),
        "block1": trees[0],
        "blocks": {"block": stacked_trees(trees[1:])},
        **{f"deconvolution{i}": torch_deconvolution(tensors, name) for i, name in enumerate(deconvolutions, start=1)},
        "reconstruction": torch_convolution(tensors, last),
    }
    if bottleneck:
        params["bottleneck"] = torch_convolution(tensors, bottleneck)
    _, _, inputs, width = params["deconvolution1"]["kernel"].shape
    _, _, channels, low_features = params["conv1"]["kernel"].shape
    options = {
        "channels": channels,
        "version": "All" if bottleneck else ("H" if inputs == growth * layers else "HL"),
        "growth": growth,
        "blocks": len(blocks),
        "layers": layers,
        "low_features": low_features,
        "bottleneck_features": width,
    }
    return Imported(options, {"params": params}, 4)


def _roles(tensors: Tensors) -> tuple[str, list[str], str | None, list[str], str]:
    """Return the names of the first layer, the dense ones, the 1x1 layer if any, the transposed, and the last.

    Raises KeyError where there is none.
    """
    shapes = {n.removesuffix(".weight"): x.shape for n, x in tensors.items() if n.endswith(".weight") and x.ndim == 4}
    low, last = _ends(shapes)
    pointwise = [name for name, shape in shapes.items() if shape[2:] == (1, 1)]
    deconvolutions = sorted((n for n in shapes if _DECONVOLUTION.search(n) and n not in (low, last)), key=_numbers)
    if len(deconvolutions) != 2:
        raise KeyError("deconv.0.weight" if not deconvolutions else "deconv.2.weight")
    dense = [name for name in shapes if name not in (low, last, *pointwise, *deconvolutions)]
    return low, dense, _only("bottleneck.0.weight", pointwise) if pointwise else None, deconvolutions, last


def _ends(shapes: dict[str, tuple[int, ...]]) -> tuple[str, str]:
    """Return the layers that take the photo and that give it; raises KeyError where there is no one pair of them."""
    ends = {}
    for channels in (1, 3):  # a narrow network may have 3 features
        takes = [name for name, (outputs, inputs, *_) in shapes.items() if inputs == channels != outputs]
        gives = [name for name, (outputs, inputs, *_) in shapes.items() if outputs == channels != inputs]
        ends[len(takes), len(gives)] = (takes, gives)
    if (1, 1) not in ends:
        raise KeyError("conv.weight" if all(not takes for takes, _ in ends) else "reconstruction.weight")
    (low,), (last,) = ends[1, 1]
    return low, last


def _only(expected: str, names: list[str]) -> str:
    """Return the one name; raises KeyError for the `expected` one where there is none, or several."""
    if len(names) != 1:
        raise KeyError(expected)
    return names[0]


def _blocks(names: list[str]) -> list[list[str]]:
    """Return the names of each block's layers in order, by the two numbers in which names differ."""
    numbers = {name: _numbers(name) for name in names}
    places = [i for i, column in enumerate(zip(*numbers.values(), strict=False)) if len(set(column)) > 1]
    if len(places) != 2:
        raise KeyError("dense_blocks.0.block.0.conv.weight")
    blocks: dict[int, dict[int, str]] = defaultdict(dict)
    for name, found in numbers.items():
        blocks[found[places[0]]][found[places[1]]] = name
    return [[layers[i] for i in sorted(layers)] for _, layers in sorted(blocks.items())]


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", name)))


def _check_inputs(blocks: list, growth: int) -> None:
    """Raise UserError for blocks that see more than the paper's: their own input at every layer, or all before."""
    width = growth * len(blocks[0])
    first, *others = [[layer["kernel"].shape[2] for layer in block] for block in blocks]
    expected = [growth * i for i in range(1, len(first))]
    if first[1:] != expected or any(seen != [width, *expected] for seen in others):
        raise UserError(
            f"the dense blocks see {first} and {others[:1]} features, the paper's {[first[0], *expected]} and "
            f"{[width, *expected]}; this port is another network"
        )
