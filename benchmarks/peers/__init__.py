"""The same networks in PyTorch, eager, as ports of the papers write them; they take a jaxsr model's weights."""

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers import blind, chains, dense, pyramids, residual
from benchmarks.peers.layers import copy_weights
from jaxsr.models import Model
from jaxsr.models.trees import by_path

PEERS: Mapping[str, Callable[[Any], nn.Module]] = {
    "srcnn": chains.srcnn,
    "fsrcnn": chains.fsrcnn,
    "espcn": chains.espcn,
    "vdsr": chains.VDSR,
    "drcn": chains.DRCN,
    "rdn": dense.RDN,
    "lapsrn": pyramids.LapSRN,
    "mslapsrn": pyramids.MSLapSRN,
    "srdensenet": dense.SRDenseNet,
    "srresnet": residual.SRResNet,
    "danv1": blind.dan_v1,
    "danv2": blind.dan_v2,
}


def peer(model: Model) -> nn.Module:
    """Return the PyTorch network that computes what `model` computes, with its weights, ready for inference.

    Widths and depths are the model's, other options the defaults. Its layers carry the names of jaxsr's.
    """
    network = PEERS[model.spec.name](model.module)
    more = (by_path(tree) for name, tree in model.variables.items() if name != "params")
    leaves = functools.reduce(operator.or_, more, by_path(model.params))
    copy_weights(network, dense.joined(leaves) if model.spec.name == "rdn" else leaves)
    return network.eval()
