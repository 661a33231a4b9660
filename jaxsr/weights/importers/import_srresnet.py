"""SRResNet: PyTorch's `block1`, residual blocks `block2` and on with `conv1`, `bn1`, `prelu`, `conv2`, `bn2`, then
the trunk's last convolution and the enlargement.
"""

import math

from jaxsr.weights.importers.layouts import (
    Imported,
    Tensors,
    stacked_trees,
    torch_convolution,
    torch_pixel_shuffle,
)


def convert(tensors: Tensors) -> Imported:
    """Return SRResNet's options, variables and scale; the last tanh, which no shape shows, belongs to these names."""
    blocks = sum(f"block{i + 2}.conv1.weight" in tensors for i in range(len(tensors)))
    trunk, head = f"block{blocks + 2}", f"block{blocks + 3}"
    doublings = sum(f"{head}.{i}.conv.weight" in tensors for i in range(len(tensors)))
    params, statistics = _blocks(tensors, blocks)
    params = {"blocks": params, "conv1": torch_convolution(tensors, "block1.0"), "prelu1": _slope(tensors, "block1.1")}
    params["conv2"] = torch_convolution(tensors, f"{trunk}.0")
    statistics = {"blocks": statistics} if statistics else {}
    if f"{trunk}.1.running_mean" in tensors:
        params["norm2"], statistics["norm2"] = _norm(tensors, f"{trunk}.1")
    elif f"{trunk}.1.weight" in tensors:
        params["prelu2"] = _slope(tensors, f"{trunk}.1")
    for i in range(doublings):
        params[f"upsampling{i + 1}"] = torch_pixel_shuffle(torch_convolution(tensors, f"{head}.{i}.conv"), 2)
        params[f"upsampling{i + 1}_prelu"] = _slope(tensors, f"{head}.{i}.prelu")
    params["conv3"] = torch_convolution(tensors, f"{head}.{doublings}")
    variables = {"params": params} | ({"batch_stats": statistics} if statistics else {})
    return Imported(_options(params, statistics, blocks), variables, 2**doublings)


def _options(params: dict, statistics: dict, blocks: int) -> dict:
    _, _, channels, features = params["conv1"]["kernel"].shape
    return {
        "channels": channels,
        "features": features,
        "blocks": blocks,
        "slopes": "layer" if math.prod(params["prelu1"]["slope"].shape) == 1 else "channel",
        "normalization": "batch" if statistics else "none",
        "output": "tanh",
        "use_bias": "bias" in params["conv1"],
        "trunk_prelu": "prelu2" in params,
    }


def _blocks(tensors: Tensors, count: int) -> tuple[dict, dict]:
    """Return parameters and statistics of the residual blocks, stacked on axis 0."""
    read = [_block(tensors, f"block{i + 2}") for i in range(count)]
    if not read:
        raise KeyError("block2.conv1.weight")
    return stacked_trees([params for params, _ in read]), stacked_trees([statistics for _, statistics in read])


def _block(tensors: Tensors, name: str) -> tuple[dict, dict]:
    params: dict = {"prelu": _slope(tensors, f"{name}.prelu")}
    statistics: dict = {}
    for i in (1, 2):
        params[f"conv{i}"] = torch_convolution(tensors, f"{name}.conv{i}")
        if f"{name}.bn{i}.weight" in tensors:
            params[f"norm{i}"], statistics[f"norm{i}"] = _norm(tensors, f"{name}.bn{i}")
    return params, statistics


def _norm(tensors: Tensors, name: str) -> tuple[dict, dict]:
    scale, bias, mean, var = (tensors[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
    return {"scale": scale, "bias": bias}, {"mean": mean, "var": var}


def _slope(tensors: Tensors, name: str) -> dict:
    return {"slope": tensors[f"{name}.weight"]}
