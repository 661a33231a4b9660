"""The same networks in PyTorch, eager, as ports of the papers write them; they take a jaxsr model's weights."""

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn  # pyright: ignore[reportMissingImports]

from benchmarks.peers import blind, chains, deblurring, dense, discriminators, guided, pyramids, residual
from benchmarks.peers.layers import copy_weights
from jaxsr.models import Model
from jaxsr.support.trees import by_path

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
    "srgan": residual.SRResNet,
    "danv1": blind.dan_v1,
    "danv2": blind.dan_v2,
    "deblurgan": deblurring.DeblurGAN,
    "srntt": guided.SRNTT,
}

# The second networks, by their names in jaxsr.training.steps.adversary.ADVERSARIES.
CRITICS: Mapping[str, Callable[[Any, tuple[int, ...]], nn.Module]] = {
    "srgan": discriminators.srgan,
    "srntt": discriminators.srntt,
    "patch": deblurring.patch_critic,
}


def peer(model: Model) -> nn.Module:
    """Return the PyTorch network that computes what `model` computes, with its weights, ready for inference.

    Widths and depths are the model's, other options the defaults. Its layers carry the names of jaxsr's.
    """
    leaves = leaves_of(model.variables)
    network = PEERS[model.spec.name](model.module)
    return with_weights(network, dense.joined(leaves) if model.spec.name == "rdn" else leaves).eval()


def critic_peer(name: str, network: Any, variables: Mapping[str, Any], shape: tuple[int, ...]) -> nn.Module:
    """Return the second network `name` in PyTorch, with the weights of jaxsr's, ready for training.

    `shape` (H, W, C) is that of the photos it was made for.
    """
    return with_weights(CRITICS[name](network, shape), leaves_of(variables)).train()


def leaves_of(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return {path: array} of all collections of a network."""
    return functools.reduce(operator.or_, map(by_path, variables.values()))


def with_weights(network: nn.Module, leaves: Mapping[str, Any]) -> nn.Module:
    """Return `network` with a jaxsr network's `leaves`; both have as many parameters."""
    copy_weights(network, leaves)
    return network
