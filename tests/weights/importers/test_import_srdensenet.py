"""SRDenseNet's tensors by a port's names, and by others'."""

import jax
import numpy as np
import pytest

from jaxsr.models import count_parameters, initial_shapes
from jaxsr.models.srdensenet import SPEC, SRDenseNet
from jaxsr.support.errors import UserError
from jaxsr.weights.importers import import_tensors
from tests.helpers.networks import random_variables

PHOTO = np.random.default_rng(1).random((1, 5, 6, 1), np.float32)
OPTIONS = {"growth": 3, "blocks": 3, "layers": 4, "low_features": 5, "bottleneck_features": 7}
PORT = {
    **{"conv1": "conv.conv", "dense": "dense_blocks.{}.block.{}.conv", "bottleneck": "bottleneck.0"},
    **{"deconvolution1": "deconv.0", "deconvolution2": "deconv.2", "reconstruction": "reconstruction"},
}
OTHER = {
    **{"conv1": "low.0", "dense": "blocks.{}.layers.{}.0", "bottleneck": "fuse"},
    **{"deconvolution1": "upsample1", "deconvolution2": "upsample2", "reconstruction": "out"},
}


def published(net, variables, names):
    """Return a network's variables as PyTorch has them."""
    params, layers = variables["params"], {}
    for name in ("conv1", "bottleneck", "deconvolution1", "deconvolution2", "reconstruction"):
        if name in params:
            layers[names[name]] = params[name]
    for i in range(net.blocks):
        block = params["block1"] if i == 0 else jax.tree.map(lambda x, i=i: x[i - 1], params["blocks"]["block"])
        layers |= {names["dense"].format(i, j): block[f"conv{j + 1}"] for j in range(net.layers)}
    transposed = (names["deconvolution1"], names["deconvolution2"])
    tensors = {f"{name}.bias": np.asarray(layer["bias"]) for name, layer in layers.items()}
    return tensors | {
        f"{name}.weight": np.asarray(layer["kernel"]).transpose((2, 3, 0, 1) if name in transposed else (3, 2, 0, 1))
        for name, layer in layers.items()
    }


@pytest.mark.parametrize(("version", "names"), [("All", PORT), ("HL", OTHER), ("H", PORT)])
def test_each_tensor_has_its_place(version, names):
    net = SRDenseNet(version=version, **OPTIONS)
    variables = random_variables(net)
    tensors = published(net, variables, names)
    model = import_tensors("srdensenet", {f"module.{name}": tensors[name] for name in sorted(tensors)})
    assert model.module == net and model.scale == 4
    jax.tree.map(np.testing.assert_array_equal, model.variables, variables)


@pytest.mark.slow
def test_the_published_size_is_read():
    shapes = initial_shapes(SPEC.module(4))
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), shapes)
    model = import_tensors("srdensenet", published(SPEC.module(4), variables, PORT))
    assert count_parameters(SPEC, 4, **model.options) == 2_097_569 and model.module == SPEC.module(4)


def test_other_networks_are_refused():
    net = SRDenseNet(**OPTIONS)
    tensors = published(net, random_variables(net), PORT)
    name = "dense_blocks.1.block.2.conv.weight"
    wide = tensors | {name: np.zeros((3, 18, 3, 3), np.float32)}
    with pytest.raises(UserError, match=r"the dense blocks see .* this port is another network"):
        import_tensors("srdensenet", wide)
    for missing, expected in (("reconstruction", "reconstruction"), ("deconv.2", "deconv.2"), ("conv.conv", "conv")):
        less = {name: x for name, x in tensors.items() if name != f"{missing}.weight"}
        with pytest.raises(UserError, match=f"no tensor '{expected}.weight' for srdensenet"):
            import_tensors("srdensenet", less)
