"""SRDenseNet against slow NumPy; its counts and reach."""

import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import Model, count_parameters, initial_shapes
from jaxsr.models.srdensenet import SPEC, SRDenseNet
from jaxsr.support.errors import UserError
from tests.helpers.networks import apply, assert_reach, random_variables
from tests.helpers.tiles import enlarge
from tests.reference.convolution import correlate, transposed

RNG = np.random.default_rng(6)
VERSIONS = ("H", "HL", "All")


def narrow(version: str, **options) -> SRDenseNet:
    fields = {"growth": 3, "blocks": 3, "layers": 3, "low_features": 4, "bottleneck_features": 5}
    return SRDenseNet(version=version, **{**fields, **options})


def reference(net: SRDenseNet, params, x: np.ndarray) -> np.ndarray:
    """Return what section 3 says, with one loop for each weight and all concatenations."""
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)

    def relu_of(x, layer):
        border = layer["kernel"].shape[0] // 2
        return np.maximum(correlate(x, layer["kernel"], (border, border)) + layer["bias"], 0)

    def dense_block(x, layers):
        maps = [relu_of(x, layers["conv1"])]
        for i in range(2, net.layers + 1):
            maps.append(relu_of(np.concatenate(maps, axis=-1), layers[f"conv{i}"]))
        return np.concatenate(maps, axis=-1)

    low = relu_of(x, params["conv1"])
    outputs = [dense_block(low, params["block1"])]
    for i in range(net.blocks - 1):
        layers = jax.tree.map(operator.itemgetter(i), params["blocks"]["block"])
        outputs.append(dense_block(outputs[-1], layers))
    x = np.concatenate({"H": outputs[-1:], "HL": [low, outputs[-1]], "All": [low, *outputs]}[net.version], axis=-1)
    x = relu_of(x, params["bottleneck"]) if net.version == "All" else x
    for name in ("deconvolution1", "deconvolution2"):
        x = np.maximum(transposed(x, params[name]["kernel"], 2, 1) + params[name]["bias"], 0)
    return correlate(x, params["reconstruction"]["kernel"], (1, 1)) + params["reconstruction"]["bias"]


@pytest.mark.parametrize("version", VERSIONS)
def test_layers_are_the_papers(version):
    net = narrow(version)
    variables, x = random_variables(net), RNG.random((2, 5, 6, 1)).astype(np.float32)
    y, expected = apply(net, variables, x), reference(net, variables["params"], x)
    assert y.shape == (2, 20, 24, 1) and expected.std() > 0.1
    assert np.abs(y - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_map_matters(version):
    """Each weight moves the output, so that no share of the bottleneck is left out."""
    net = narrow(version, channels=3, blocks=2, layers=2)
    variables = jax.tree.map(jnp.abs, random_variables(net))
    gradients = jax.jit(jax.grad(lambda v: net.apply(v, jnp.full((1, 4, 4, 3), 0.5)).sum()))(variables)
    assert all((np.asarray(leaf) > 0).all() for leaf in jax.tree.leaves(gradients))


@pytest.mark.parametrize(("version", "count"), {"H": 1_536_161, "HL": 1_573_025, "All": 2_097_569}.items())
def test_parameter_count(version, count):
    assert set(SPEC.variants) == set(VERSIONS)
    assert count_parameters(SPEC, 4, **SPEC.variants[version]) == count


@pytest.mark.parametrize(("version", "blocks", "layers"), [("H", 2, 2), ("HL", 3, 1), ("All", 2, 3)])
def test_receptive_radius_is_exact(version, blocks, layers):
    """Positive weights and inputs keep every ReLU open."""
    net = narrow(version, blocks=blocks, layers=layers)
    assert SPEC.receptive_radius(net) == 2 + blocks * layers
    assert_reach(net, jax.tree.map(jnp.abs, random_variables(net)), 4, 2 + blocks * layers)


def test_the_published_depth_sees_66_pixels():
    assert SPEC.receptive_radius(SPEC.module(4)) == 66


@pytest.mark.parametrize("version", VERSIONS)
def test_tiled_equals_whole(version):
    model = Model(SPEC, narrow(version), 4, random_variables(narrow(version)))
    pixels = RNG.random((50, 61, 1)).astype(np.float32)
    whole = enlarge(model, pixels, tile=None, quantize=False)
    assert whole.shape == (200, 244, 1) and whole.std() > 0.1
    tiled = enlarge(model, pixels, tile=40, quantize=False)
    assert np.abs(tiled - whole).max() <= 1e-5 * np.abs(whole).max()


@pytest.mark.slow
def test_gradients_are_finite_on_flat_photos():
    """From the initial weights, 8 blocks deep."""
    net = SRDenseNet(growth=4, layers=1, low_features=4, bottleneck_features=8)
    x, hr = jnp.full((1, 4, 4, 1), 0.5), jnp.full((1, 16, 16, 1), 0.4)
    params = jax.jit(net.init)(jax.random.key(0, impl="rbg"), x)["params"]  # the default compiles for 5 seconds

    @jax.value_and_grad
    def loss(params):
        return jnp.mean((net.apply({"params": params}, x) - hr) ** 2)

    value, gradients = jax.jit(loss)(params)
    assert 0 < value < 0.5
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert all(np.abs(gradients[name]["kernel"]).max() > 0 for name in ("conv1", "bottleneck", "reconstruction"))


def test_mistakes_are_named():
    with pytest.raises(UserError, match="srdensenet has no scale 2; choose one of: 4"):
        SPEC.module(2)
    with pytest.raises(UserError, match="unknown version 'all'; choose one of: H, HL, All|did you mean 'All'"):
        initial_shapes(SPEC.module(4, version="all"))
