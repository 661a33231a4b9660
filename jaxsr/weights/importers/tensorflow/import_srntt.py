"""SRNTT: TensorLayer's variables in the scopes `content_extractor` and `texture_transfer`, or in a list by their order.

A layer is `small/resblock_0/conv1/W_conv2d`, of the content extractor `n64s1/c1/0/W_conv2d`; a normalization beside
it has `gamma`, `beta`, `moving_mean`, `moving_variance`. Convolutions are (H, W, in, out), shuffles (dy, dx, c).
"""

import re
from collections import defaultdict
from typing import NamedTuple

import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.weights.importers.layouts import Imported, Tensors, stacked_trees

STAGES = ("small", "medium", "large")
NORM = {"beta": "bias", "gamma": "scale", "moving_mean": "mean", "moving_variance": "var"}  # in TensorLayer's order
CONVOLUTION = {
    **dict.fromkeys(("W_conv2d", "W", "kernel", "weights"), "kernel"),
    **dict.fromkeys(("b_conv2d", "b", "bias", "biases"), "bias"),
}
_BLOCK = re.compile(
    r"(?:.*/)?(?:[cb]|conv|bn)(?P<layer>[12])/(?P<block>\d+)"
    r"|(?:.*/)?(?:res\w*?|block)_?(?P<block2>\d+)/(?:conv|bn|[cb])_?(?P<layer2>[12])"
)
_LISTED = re.compile(r"(?:(.*)[./])?(?:arr_)?(\d+)")


class Layer(NamedTuple):
    """A convolution {"kernel", "bias"} and, where it has one, its normalization {"scale", "bias", "mean", "var"}."""

    conv: dict[str, np.ndarray]
    norm: dict[str, np.ndarray]


class Stage(NamedTuple):
    """The layers of one part of the network: residual blocks' in order, and the others."""

    blocks: list[Layer]
    others: list[Layer]


def convert(tensors: Tensors) -> Imported:
    """Return SRNTT's options, variables and scale, 4. Other networks' variables in the file are left out.

    Raises UserError where the file holds the content extractor alone, or texture transfer alone.
    """
    stages = _listed_stages(tensors) or _named_stages(tensors)
    if not stages:
        raise KeyError("content_extractor/n64s1/c/W_conv2d")
    missing = [name for name in ("content", *STAGES) if name not in stages]
    if missing:
        raise UserError(
            f"the weights of srntt lack the part {missing[0]!r}; give the files of the content extractor and of "
            "texture transfer together: upscale.npz srntt.npz"
        )
    parts = {name: _part(stage) for name, stage in stages.items()}
    params = {name: part[0] for name, part in parts.items()}
    *_, channels, features = params["content"]["conv1"]["kernel"].shape
    params["enlargement"] = {
        name: params["content"].pop(name) for name in ("upsampling1", "upsampling2", "out") if name in params["content"]
    }
    if len(params["enlargement"]) < 3:
        raise KeyError("content_extractor/n256s1/1/W_conv2d")
    params["enlargement"]["conv1"] = params["enlargement"].pop("out")
    for name in ("small", "medium"):
        params[name]["upsampling"] = params[name].pop("upsampling1")
    params["large"]["conv4"] = params["large"].pop("out")
    options = {"channels": channels, "features": features, "blocks": len(stages["content"].blocks) // 2}
    return Imported(options, {"params": params, "batch_stats": {name: part[1] for name, part in parts.items()}}, 4)


def _part(stage: Stage) -> tuple[dict, dict]:
    """Return the parameters and statistics of a stage; layers beside the blocks are known by their shapes."""
    params, statistics = {}, {}
    pairs = list(zip(stage.blocks[::2], stage.blocks[1::2], strict=True))
    named = [_tree({f"{i}": layer for i, layer in enumerate(pair, start=1)}) for pair in pairs]
    params["blocks"], statistics["blocks"] = (stacked_trees([tree[i] for tree in named]) for i in (0, 1))
    upsampled = 0
    for layer in stage.others:
        size, _, inputs, features = layer.conv["kernel"].shape
        if layer.norm:
            trunk = _tree({"2": layer})
            params |= trunk[0]
            statistics |= trunk[1]
        elif size == 1:
            params["out"] = layer.conv
        elif features == 4 * inputs:
            upsampled += 1
            params[f"upsampling{upsampled}"] = layer.conv
        else:
            params["conv3" if 2 * features == inputs and "conv1" in params else "conv1"] = layer.conv
    if "conv1" not in params:
        raise KeyError("conv1/W_conv2d")
    return params, statistics


def _tree(layers: dict[str, Layer]) -> tuple[dict, dict]:
    """Return the parameters and the statistics of layers and their normalizations, by the layers' numbers."""
    params, statistics = {}, {}
    for number, (conv, norm) in layers.items():
        params |= {f"conv{number}": conv, f"norm{number}": {part: norm[part] for part in ("scale", "bias")}}
        statistics[f"norm{number}"] = {part: norm[part] for part in ("mean", "var")}
    return params, statistics


def _named_stages(tensors: Tensors) -> dict[str, Stage]:
    """Return the stages of named variables, in whatever order."""
    layers: dict[str, dict[tuple, dict]] = defaultdict(lambda: defaultdict(dict))
    for name, x in tensors.items():
        path, _, variable = name.rpartition("/")
        kind = NORM.get(variable) or CONVOLUTION.get(variable)
        stage = _stage_of(path)
        if kind and stage:
            layers[stage][_layer_of(path)]["norm" if variable in NORM else "conv", kind] = x
    return {stage: _sorted(found) for stage, found in layers.items()}


def _stage_of(path: str) -> str | None:
    """Return the stage that a layer's path names, None for other networks'."""
    parts = path.split("/")
    stage = next((part for part in parts if part in STAGES), None)
    if stage or any(part in ("discriminator", "vgg19", "VGG19") for part in parts):
        return stage
    return "large" if "texture_transfer" in parts else "content"


def _layer_of(path: str) -> tuple:
    """Return what a convolution and its normalization have in common: (0, block, layer), (1, path) of the others."""
    match = _BLOCK.fullmatch(path)
    if match:
        return 0, int(match["block"] or match["block2"]), int(match["layer"] or match["layer2"])
    return 1, re.sub(r"(^|/)(?:bn|b)(?=_?\d*(?:/|$))", r"\1c", re.sub(r"(^|/)conv(?=_?\d*(?:/|$))", r"\1c", path))


def _sorted(found: dict) -> Stage:
    def layer(parts: dict) -> Layer:
        kinds = {kind: {part: x for (k, part), x in parts.items() if k == kind} for kind in ("conv", "norm")}
        if "kernel" not in kinds["conv"]:
            raise KeyError("W_conv2d")
        return Layer(kinds["conv"], kinds["norm"])

    blocks = [layer(found[key]) for key in sorted(key for key in found if key[0] == 0)]
    others = [layer(found[key]) for key in sorted(key for key in found if key[0] == 1)]
    return Stage(blocks, sorted(others, key=lambda each: -each.conv["kernel"].shape[2]))  # the first layer is widest


def _listed_stages(tensors: Tensors) -> dict[str, Stage]:
    """Return the stages of variables without names, whose order is that of the network; {} for named ones."""
    matches = [(match, x) for name, x in tensors.items() if (match := _LISTED.fullmatch(name))]
    if not matches or len(matches) < len(tensors):
        return {}
    arrays = [x for match, x in sorted(matches, key=lambda pair: (pair[0][1] or "", int(pair[0][2])))]
    layers: list[list[np.ndarray]] = []
    for x in arrays:
        if x.ndim == 4:
            layers.append([x])
        elif layers:
            layers[-1].append(x)
    return _cut(list(map(_listed_layer, layers)))


def _listed_layer(arrays: list[np.ndarray]) -> Layer:
    kernel, *vectors = (arrays[0], *(x.reshape(-1) for x in arrays[1:]))
    vectors = [x for x in vectors if x.size == kernel.shape[3]]  # without the numbers of texture transfer's weight maps
    if len(vectors) == len(NORM):
        return Layer({"kernel": kernel}, dict(zip(NORM.values(), vectors, strict=True)))
    return Layer({"kernel": kernel, **({"bias": vectors[0]} if vectors else {})}, {})


def _cut(layers: list[Layer]) -> dict[str, Stage]:
    """Return the stages of all layers in order; each begins with a layer that widens or joins what comes in."""
    stages: dict[str, Stage] = {}
    joined = iter(STAGES)
    for layer in layers:
        size, _, inputs, features = layer.conv["kernel"].shape
        if size == 3 and not layer.norm and (inputs in (1, 3) or inputs > features):
            if 2 * features == inputs and stages and _is_last(list(stages.values())[-1], inputs):
                pass  # the layer before the last
            else:
                stages["content" if inputs in (1, 3) else next(joined, "other")] = Stage([], [])
        if not stages:
            raise KeyError("the first layer, of 3 channels")
        stage = list(stages.values())[-1]
        stage.others.append(layer)
    return {name: _split(stage.others) for name, stage in stages.items() if name != "other"}


def _is_last(stage: Stage, features: int) -> bool:
    """Return whether a stage's first layer gives `features`, so that one that halves them is no stage's first."""
    return bool(stage.others) and stage.others[0].conv["kernel"].shape[3] == features


def _split(layers: list[Layer]) -> Stage:
    """Return the stage of layers in order: all with normalization are blocks' but the last one."""
    normalized = [layer for layer in layers if layer.norm]
    return Stage(normalized[:-1], [*(layer for layer in layers if not layer.norm), *normalized[-1:]])
