"""SRResNet against the reference implementation and slow NumPy; its counts, reach, statistics and folding."""

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import Model, count_parameters, initial_shapes
from jaxsr.models.srresnet import SPEC, SRResNet, fold
from jaxsr.support.errors import UserError
from jaxsr.weights.importers.import_srresnet import convert
from tests.helpers.networks import apply, assert_reach, random_variables
from tests.helpers.tiles import enlarge
from tests.reference.convolution import correlate

RNG = np.random.default_rng(5)


def reference(net: SRResNet, variables, x: np.ndarray) -> np.ndarray:
    """Return what figure 4 says, with one loop for each weight."""
    params, statistics = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), (variables["params"], variables))
    statistics = statistics.get("batch_stats", {})

    def conv(x, layer):
        border = layer["kernel"].shape[0] // 2
        return correlate(x, layer["kernel"], (border, border)) + layer.get("bias", 0)

    def norm(x, name, layers, statistics):
        if name not in layers:
            return x
        layer, running = layers[name], statistics[name]
        return (x - running["mean"]) / np.sqrt(running["var"] + 1e-5) * layer["scale"] + layer["bias"]

    def prelu(x, layer):
        return np.where(x > 0, x, layer["slope"] * x)

    low = x = prelu(conv(x, params["conv1"]), params["prelu1"])
    for i in range(net.blocks):
        layers, running = jax.tree.map(operator.itemgetter(i), (params["blocks"], statistics.get("blocks", {})))
        y = prelu(norm(conv(x, layers["conv1"]), "norm1", layers, running), layers["prelu"])
        x = x + norm(conv(y, layers["conv2"]), "norm2", layers, running)
    x = norm(conv(x, params["conv2"]), "norm2", params, statistics)
    x = low + (prelu(x, params["prelu2"]) if net.trunk_prelu else x)
    for i in range(1, {2: 1, 4: 2}[net.scale] + 1):
        y = conv(x, params[f"upsampling{i}"])
        n, height, width, depth = y.shape
        x = np.zeros((n, 2 * height, 2 * width, depth // 4))
        for dy, dx in np.ndindex(2, 2):
            x[:, dy::2, dx::2] = y[..., (2 * dy + dx) * depth // 4 : (2 * dy + dx + 1) * depth // 4]
        x = prelu(x, params[f"upsampling{i}_prelu"])
    y = conv(x, params["conv3"])
    return {"linear": y, "symmetric": (y + 1) / 2, "tanh": (np.tanh(y) + 1) / 2}[net.output]


def assert_close(value, expected, tolerance):
    assert np.abs(value - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.shared
def test_golden_file(shared):
    """The reference's float32 is itself 5e-6 away from float64, for a last tanh over values up to 9."""
    data = np.load(shared / "golden" / "srgan_generator_x4.npz")
    imported = convert({key.removeprefix("param/"): data[key] for key in data if key.startswith("param/")})
    net = SPEC.module(imported.scale or 0, **imported.options)
    variables = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), imported.variables)
    x, expected = (data[name].transpose(0, 2, 3, 1) for name in ("in/x", "out/y"))
    assert net == SRResNet(4, blocks=5, output="tanh")
    assert_close(apply(net, variables, x), expected, 2e-5)
    folded, inside = fold(net, variables)
    assert_close(apply(folded, inside, x), expected, 2e-5)


NETS = [
    SRResNet(4, features=5, blocks=3),
    SRResNet(2, channels=1, features=4, blocks=2, slopes="channel", output="symmetric"),
    SRResNet(2, features=4, blocks=2, output="tanh", trunk_prelu=True),
    SRResNet(2, features=4, blocks=2, use_bias=False, slopes="channel"),
    SRResNet(4, features=4, blocks=1, normalization="none"),
]


@pytest.mark.parametrize("net", NETS)
def test_layers_are_the_papers(net):
    variables, x = random_variables(net), RNG.random((2, 5, 6, net.channels)).astype(np.float32)
    y = apply(net, variables, x)
    assert y.shape == (2, 5 * net.scale, 6 * net.scale, net.channels)
    assert_close(y, reference(net, variables, x), 1e-5)


@pytest.mark.parametrize("net", NETS)
def test_folding_changes_no_output(net):
    variables, x = random_variables(net, 1), RNG.random((1, 8, 7, net.channels)).astype(np.float32)
    folded, inside = fold(net, variables)
    shapes = jax.tree.map(lambda leaf: leaf.shape, (inside, initial_shapes(folded)))
    assert folded.normalization == "none" and shapes[0] == shapes[1]
    assert_close(apply(folded, inside, x), apply(net, variables, x), 1e-5)


@pytest.mark.parametrize(
    ("variant", "scale", "count"),
    [
        *[("16", 4, 1_549_462), ("16-channel-slopes", 4, 1_550_659), ("16-no-normalization", 4, 1_545_238)],
        *[("16", 2, 1_401_749), ("5", 4, 734_219), ("5-prelu", 4, 734_092)],
    ],
)
def test_parameter_count(variant, scale, count):
    """Without normalization it is 33 layers of 128 less; the port's PReLU is 1 in place of 128."""
    assert count_parameters(SPEC, scale, **SPEC.variants[variant]) == count


def test_no_variant_without_a_count():
    assert set(SPEC.variants) == {"16", "16-channel-slopes", "16-no-normalization", "5", "5-prelu"}


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "blocks"), [(4, 1), (4, 2), (2, 2)])
def test_receptive_radius_is_exact(scale, blocks):
    net = SRResNet(scale, channels=1, features=3, blocks=blocks)
    assert SPEC.receptive_radius(net) == 8 + 2 * blocks
    assert_reach(net, random_variables(net), scale, 8 + 2 * blocks)


def test_tiled_equals_whole():
    """And equals the network as it was trained, since restoring folds the normalization."""
    net = SRResNet(4, features=4, blocks=2)
    model = Model(SPEC, net, 4, jax.tree.map(lambda x: 0.5 * x, random_variables(net)))
    assert model.folded().module.normalization == "none"
    pixels = RNG.random((50, 61, 3)).astype(np.float32)
    whole = enlarge(model, pixels, tile=None, quantize=False)
    assert whole.shape == (200, 244, 3) and whole.std() > 0.1
    assert_close(whole, jax.jit(net.apply)(model.variables, pixels[None])[0], 1e-5)
    assert_close(enlarge(model, pixels, tile=40, quantize=False), whole, 1e-5)


def test_statistics_are_those_of_all_devices_together():
    net = SRResNet(2, features=4, blocks=2)
    variables, x = random_variables(net), RNG.random((4, 6, 5, 3)).astype(np.float32)
    apply = functools.partial(net.apply, train=True, mutable=["batch_stats"])
    alone, statistics = jax.jit(apply)(variables, x)
    shared = jax.pmap(functools.partial(apply, axis="d"), "d", in_axes=(None, 0), devices=jax.local_devices()[:2])
    together, theirs = shared(variables, x.reshape(2, 2, 6, 5, 3))
    assert_close(together.reshape(alone.shape), alone, 1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, atol=1e-5), theirs, statistics)


def test_training_normalizes_by_the_batch_and_moves_the_statistics():
    net = SRResNet(2, features=4, blocks=2)
    variables, x = random_variables(net), RNG.random((3, 6, 5, 3)).astype(np.float32)
    _, updated = jax.jit(functools.partial(net.apply, train=True, mutable=["batch_stats"]))(variables, x)
    old, new = (tree["blocks"]["norm1"] for tree in (variables["batch_stats"], updated["batch_stats"]))
    params = variables["params"]
    low = correlate(x, params["conv1"]["kernel"], (4, 4)) + params["conv1"]["bias"]
    low = np.where(low > 0, low, params["prelu1"]["slope"] * low)
    block = jax.tree.map(operator.itemgetter(0), params["blocks"])
    y = correlate(low, block["conv1"]["kernel"], (1, 1)) + block["conv1"]["bias"]
    np.testing.assert_allclose(new["mean"][0], 0.9 * old["mean"][0] + 0.1 * y.mean(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(new["var"][0], 0.9 * old["var"][0] + 0.1 * y.var(axis=(0, 1, 2)), rtol=1e-4)
    assert new["mean"].shape == (2, 4)


@pytest.mark.slow
@pytest.mark.parametrize("normalization", ["batch", "none"])
def test_gradients_are_finite_on_flat_photos(normalization):
    """And 16 blocks, with or without normalization, start with outputs that a first step can mend."""
    net = SRResNet(2, features=4, normalization=normalization)
    x, hr = jnp.full((2, 4, 4, 3), 0.5), jnp.full((2, 8, 8, 3), 0.4)
    variables = jax.jit(net.init)(jax.random.key(0, impl="rbg"), x)  # the default compiles for 5 seconds
    others = {name: tree for name, tree in variables.items() if name != "params"}

    @functools.partial(jax.value_and_grad, has_aux=True)
    def loss(params):
        y, _ = net.apply({"params": params, **others}, x, train=True, mutable=["batch_stats"])
        return jnp.mean((y - hr) ** 2), y

    (_, y), gradients = jax.jit(loss)(variables["params"])
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert np.abs(gradients["conv1"]["kernel"]).max() > 0 and np.abs(gradients["blocks"]["conv2"]["kernel"]).max() > 0
    assert 0 < np.abs(y).max() < 0.5


def test_mistakes_are_named():
    with pytest.raises(UserError, match="srresnet has no scale 3; choose one of: 4, 2"):
        SPEC.module(3)
    for field, value in (("slopes", "pixel"), ("normalization", "layer"), ("output", "sigmoid")):
        with pytest.raises(UserError, match=f"unknown {field} '{value}'; choose one of"):
            initial_shapes(SPEC.module(4, **{field: value}))
