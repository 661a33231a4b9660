"""RDN: PyTorch's `SFENet1`, `RDBs`, `GFF`, `UPNet`, or `sfe1`, `rdbs`, `gff`, `upscale`, `output`."""

import dataclasses
import itertools

import numpy as np

from jaxsr.weights.importers.layouts import Imported, Tensors, stacked_trees, torch_convolution, torch_enlargement

Convolution = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Names:
    """A port's names of the layers; {} is a number from 0."""

    shallow: tuple[str, str]
    block: str
    layer: str
    fusion: str
    global_fusion: tuple[str, str]
    enlarge: str
    reconstruction: str | None  # None where it is the last of `enlarge`


PORTS = (
    Names(("sfe1", "sfe2"), "rdbs.{}", "layers.{}.conv", "lff", ("gff.0", "gff.1"), "upscale.{}", "output"),
    Names(("SFENet1", "SFENet2"), "RDBs.{}", "convs.{}.conv.0", "LFF", ("GFF.0", "GFF.1"), "UPNet.{}", None),
)


def convert(tensors: Tensors) -> Imported:
    """Return RDN's options, parameters and scale. Mean and input scale are not in the shapes: the caller gives them."""
    names = next((port for port in PORTS if f"{port.shallow[0]}.weight" in tensors), PORTS[0])
    first, second, joined, global_conv = (torch_convolution(tensors, n) for n in names.shallow + names.global_fusion)
    blocks = _stacked_blocks(tensors, names)
    enlarge, reconstruction, scale = _enlargement(tensors, names)
    features = first["kernel"].shape[3]
    # The 1x1 kernel over all blocks' outputs, joined in order, is cut into each block's share.
    blocks["global_fusion"] = {"kernel": joined["kernel"].reshape(-1, 1, 1, features, joined["kernel"].shape[3])}
    params = {
        **{"shallow1": first, "shallow2": second, "global_conv": global_conv, "reconstruction": reconstruction},
        **{"blocks": blocks, "global_fusion_bias": joined["bias"], **enlarge},
    }
    depth, *_, growth = blocks["conv1"]["kernel"].shape
    options = {
        **{"channels": first["kernel"].shape[2], "features": features, "growth": growth},
        **{"blocks": depth, "layers": len(blocks) - 2},  # beside the two fusions
    }
    return Imported(options, {"params": params}, scale)


def _stacked_blocks(tensors: Tensors, names: Names) -> dict[str, Convolution]:
    """Return the blocks' layers, those of equal place stacked on axis 0."""
    blocks = [names.block.format(i) for i in range(_count(tensors, f"{names.block}.{names.fusion}"))]
    layers = [names.layer.format(i) for i in range(_count(tensors, f"{names.block.format(0)}.{names.layer}"))]
    ours = {f"conv{i}": name for i, name in enumerate(layers, start=1)} | {"fusion": names.fusion}
    return {
        our: stacked_trees([torch_convolution(tensors, f"{b}.{name}") for b in blocks]) for our, name in ours.items()
    }


def _count(tensors: Tensors, name: str) -> int:
    """Return how many numbers in a row, from 0, `name` has in the file; KeyError if none."""
    count = next(i for i in itertools.count() if f"{name.format(i)}.weight" not in tensors)
    if not count:
        raise KeyError(f"{name.format(0)}.weight")
    return count


def _enlargement(tensors: Tensors, names: Names) -> tuple[dict[str, Convolution], Convolution, int]:
    """Return {"enlarge1": ...}, the reconstruction and the scale; shuffles take the odd numbers between."""
    places = (names.enlarge.format(i) for i in range(0, 2 * len(tensors), 2))
    present = itertools.takewhile(lambda name: f"{name}.weight" in tensors, places)
    *stages, last = [*present, *([names.reconstruction] if names.reconstruction else [])]
    enlarge, scale = torch_enlargement(tensors, stages)
    return enlarge, torch_convolution(tensors, last), scale
