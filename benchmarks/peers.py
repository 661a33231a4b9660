"""The same networks in PyTorch, eager, as ports of the papers write them; they take a jaxsr model's weights."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from jaxsr.models import Model
from jaxsr.models.trees import by_path


def srcnn(module: Any) -> nn.Module:
    """Return SRCNN with replicated borders."""
    layers, widths = OrderedDict(), (module.channels, *module.features, module.channels)
    for i, size in enumerate(module.kernel_sizes, start=1):
        layers[f"conv{i}"] = nn.Conv2d(widths[i - 1], widths[i], size, padding=size // 2, padding_mode="replicate")
        layers[f"relu{i}"] = nn.ReLU(inplace=True)
    layers.popitem()
    return nn.Sequential(layers)


def fsrcnn(module: Any) -> nn.Module:
    """Return FSRCNN with its 9x9 layer as a transposed convolution."""
    wide, narrow, scale = module.feature_channels, module.shrink_channels, module.scale
    plan = {"feature_extraction": (module.channels, wide, 5), "shrinking": (wide, narrow, 1)}
    plan |= {f"mapping{i + 1}": (narrow, narrow, 3) for i in range(module.mapping_layers)}
    plan |= {"expanding": (narrow, wide, 1)}
    layers = OrderedDict()
    for name, (inputs, outputs, size) in plan.items():
        layers[name] = nn.Conv2d(inputs, outputs, size, padding=size // 2)
        layers[f"{name}_prelu"] = nn.PReLU(outputs)
    layers["deconvolution"] = nn.ConvTranspose2d(wide, module.channels, 9, scale, padding=4, output_padding=scale - 1)
    return nn.Sequential(layers)


def espcn(module: Any) -> nn.Module:
    """Return ESPCN with tanh and PixelShuffle."""
    first, second = module.features
    layers = OrderedDict(
        conv1=nn.Conv2d(module.channels, first, 5, padding=2),
        tanh1=nn.Tanh(),
        conv2=nn.Conv2d(first, second, 3, padding=1),
        tanh2=nn.Tanh(),
        conv3=nn.Conv2d(second, module.scale**2 * module.channels, 3, padding=1),
        shuffle=nn.PixelShuffle(module.scale),
    )
    return nn.Sequential(layers)


PEERS: Mapping[str, Callable[[Any], nn.Module]] = {"srcnn": srcnn, "fsrcnn": fsrcnn, "espcn": espcn}


def peer(model: Model) -> nn.Module:
    """Return the PyTorch network that computes what `model` computes, with its weights.

    Its layers carry the names of jaxsr's. For one channel: PixelShuffle orders several channels otherwise.
    """
    network = PEERS[model.spec.name](model.module)
    params = by_path(model.params)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(_value(params, *name.rsplit(".", 1))))
    return network.eval()


def _value(params: Mapping[str, Any], layer: str, name: str) -> np.ndarray:
    """Return the parameter `name` of `layer` in PyTorch's layout."""
    layer = layer.replace(".", "/")
    if name == "bias":
        return np.array(params[f"{layer}/bias"])
    if f"{layer}/slope" in params:
        return np.array(params[f"{layer}/slope"])
    axes = (2, 3, 0, 1) if layer.endswith("deconvolution") else (3, 2, 0, 1)
    return np.asarray(params[f"{layer}/kernel"]).transpose(axes).copy()
