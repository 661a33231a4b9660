"""SRNTT against the published table of layers in NumPy; its counts, reach, statistics, folding, discriminator."""

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models import MODELS, Model, count_parameters, initial_shapes
from jaxsr.models.srntt import SPEC, SRNTT, Maps, fold
from jaxsr.models.srntt_critic import Critic
from jaxsr.models.vgg import BLOCKS
from jaxsr.support.errors import UserError
from tests.helpers.dan_cases import assert_close, compiled
from tests.helpers.networks import quiet_variables, random_variables
from tests.reference.convolution import correlate

RNG = np.random.default_rng(13)
NET = SRNTT(features=4, blocks=4)
SMALL = Critic(features=2, stages=2, hidden=5)


def photo_and_maps(height: int, width: int, count: int = 2) -> tuple[np.ndarray, Maps]:
    """Return random photos in [-1, 1] and maps of the published widths."""
    x = np.float32(RNG.uniform(-1, 1, (count, height, width, 3)))
    sizes = [(count, f * height, f * width, depth) for f, depth in ((1, 256), (2, 128), (4, 64))]
    return x, Maps(*(np.float32(0.3 * RNG.random(size)) for size in sizes))


def conv(x, layer):
    border = layer["kernel"].shape[0] // 2
    return correlate(x, layer["kernel"], (border, border)) + layer.get("bias", 0)


def norm(x, layer, running):
    return (x - running["mean"]) / np.sqrt(running["var"] + 1e-5) * layer["scale"] + layer["bias"]


def relu(x):
    return np.maximum(x, 0)


def residuals(x, layers, running):
    for i in range(len(layers["blocks"]["conv1"]["kernel"])):
        block, statistics = jax.tree.map(operator.itemgetter(i), (layers["blocks"], running["blocks"]))
        y = relu(norm(conv(x, block["conv1"]), block["norm1"], statistics["norm1"]))
        x = x + norm(conv(y, block["conv2"]), block["norm2"], statistics["norm2"])
    return norm(conv(x, layers["conv2"]), layers["norm2"], running["norm2"])


def doubled(x, layer):
    y = conv(x, layer)
    n, height, width, depth = y.shape
    result = np.zeros((n, 2 * height, 2 * width, depth // 4))
    for dy, dx in np.ndindex(2, 2):
        result[:, dy::2, dx::2] = y[..., (2 * dy + dx) * depth // 4 : (2 * dy + dx + 1) * depth // 4]
    return relu(result)


def reference(variables, x, maps):
    """Return the image with a reference, and the enlargement without."""
    params, running = jax.tree.map(np.float64, (variables["params"], variables["batch_stats"]))
    first = relu(conv(x, params["content"]["conv1"]))
    y = content = first + residuals(first, params["content"], running["content"])
    for name, given in zip(("small", "medium", "large"), maps, strict=True):
        layers = params[name]
        joined = relu(conv(np.concatenate([y, given], axis=-1), layers["conv1"]))
        y = y + residuals(joined, layers, running[name])
        y = doubled(y, layers["upsampling"]) if "upsampling" in layers else y
    y = np.tanh(conv(conv(y, params["large"]["conv3"]), params["large"]["conv4"]))
    layers = params["enlargement"]
    alone = doubled(doubled(content, layers["upsampling1"]), layers["upsampling2"])
    return y, np.tanh(conv(alone, layers["conv1"]))


@pytest.mark.slow
def test_layers_are_the_published_ones_and_folding_changes_nothing():
    x, maps = photo_and_maps(4, 5)
    variables = quiet_variables(NET)
    expected, alone = reference(variables, x, maps)
    assert expected.shape == (2, 16, 20, 3) and expected.std() > 0.05
    assert_close(compiled(NET.apply)(variables, x, maps), expected)
    assert_close(compiled(NET.clone(alone=True).apply)(variables, x), alone)
    folded, inside = fold(NET, variables)
    shapes = jax.tree.map(lambda leaf: leaf.shape, (inside, initial_shapes(folded)))
    assert folded.normalization == "none" and shapes[0] == shapes[1]
    assert_close(compiled(folded.apply)(inside, x, maps), expected)
    assert_close(compiled(folded.clone(alone=True).apply)(inside, x), alone)


def test_parameter_count():
    """The whole, and each part; the widths of the maps are those of VGG19's layers."""
    assert count_parameters(SPEC, 4) == count_parameters(SPEC, 4, **SPEC.variants["16"]) == 4_383_494
    shapes = initial_shapes(SPEC.module(4))["params"]
    count = {name: sum(leaf.size for leaf in jax.tree.leaves(part)) for name, part in shapes.items()}
    assert count == {
        **{"content": 1_222_528, "enlargement": 295_619},
        **{"small": 1_552_832, "medium": 887_232, "large": 425_283},
    }
    assert [BLOCKS[i][0] for i in (2, 1, 0)] == [256, 128, 64]
    assert MODELS["srntt"] is SPEC and SPEC.needs == ("reference",)


def open_weights(path, leaf):
    """Return positive kernels that take means, and normalizations that do nothing."""
    if path[-1].key == "kernel":
        return np.float32((0.1 + RNG.random(leaf.shape)) / np.prod(leaf.shape[-4:-1]))
    return np.full(leaf.shape, path[-1].key in ("var", "scale"), np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [1, 4])
def test_receptive_radius_is_exact(blocks):
    """Of the small photo; a map reaches less far. Weights are such that no ReLU is shut and no tanh saturated."""
    net = SRNTT(features=2, blocks=blocks)
    variables = jax.tree_util.tree_map_with_path(open_weights, initial_shapes(net))
    radius = SPEC.receptive_radius(net)
    side, middle = 2 * radius + 3, radius + 1
    x, maps = jax.tree.map(lambda leaf: 0.01 * np.abs(leaf), photo_and_maps(side, side, 1))
    block = slice(4 * middle, 4 * middle + 4)
    weights = np.float32(RNG.random((4, 4, 3)))

    def value(x, maps):
        return (net.apply(variables, x, maps)[0, block, block] * weights).sum()

    gradients = compiled(jax.grad(value, (0, 1)))(x, maps)
    reach = np.argwhere(np.abs(gradients[0][0]).sum(axis=-1) > 0) - middle
    assert (reach.min(axis=0) == -radius).all() and (reach.max(axis=0) == radius).all()
    for factor, gradient in zip((1, 2, 4), gradients[1], strict=True):
        assert np.abs(np.argwhere(np.abs(gradient[0]).sum(axis=-1) > 0) // factor - middle).max() <= radius


def test_statistics_are_those_of_all_devices_together():
    net = SRNTT(features=4, blocks=1, alone=True)
    x, _ = photo_and_maps(3, 4, 4)
    variables = random_variables(net)
    train = functools.partial(net.apply, train=True, mutable=["batch_stats"])
    alone, statistics = compiled(train)(variables, x)
    split = x.reshape(2, 2, *x.shape[1:])
    shared = jax.pmap(functools.partial(train, axis="d"), "d", in_axes=(None, 0), devices=jax.local_devices()[:2])
    together, theirs = shared(variables, split)
    np.testing.assert_allclose(together.reshape(alone.shape), alone, atol=1e-4)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, rtol=1e-4, atol=1e-4), theirs, statistics)
    y = conv(relu(conv(x, variables["params"]["content"]["conv1"])), {"kernel": first_kernel(variables)})
    old = variables["batch_stats"]["content"]["blocks"]["norm1"]["mean"][0]
    new = statistics["batch_stats"]["content"]["blocks"]["norm1"]["mean"][0]
    np.testing.assert_allclose(new, 0.9 * old + 0.1 * y.mean(axis=(0, 1, 2)), atol=1e-5)


@pytest.mark.slow
def test_the_content_is_kept_while_textures_are_learned():
    net = SRNTT(features=4, blocks=1)
    x, maps = photo_and_maps(3, 4, 4)
    variables = random_variables(net)

    def loss(params, train):
        given = {**variables, "params": params}
        y, changed = net.apply(given, x, maps, train=train, mutable=["batch_stats"])
        return jnp.mean(jnp.square(y)), changed["batch_stats"]

    slopes, statistics = compiled(jax.grad(functools.partial(loss, train=True), has_aux=True))(variables["params"])
    moved = {name: any(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(part)) for name, part in slopes.items()}
    assert moved == {"content": False, "enlargement": False, "small": True, "medium": True, "large": True}
    jax.tree.map(np.testing.assert_array_equal, statistics["content"], variables["batch_stats"]["content"])
    old = variables["batch_stats"]["small"]["norm2"]["mean"]
    assert np.abs(statistics["small"]["norm2"]["mean"] - old).max() > 1e-3


def first_kernel(variables):
    return variables["params"]["content"]["blocks"]["conv1"]["kernel"][0]


@pytest.mark.slow
def test_the_start_is_the_authors():
    """Kernels about 0, gains about 1, both with a deviation of 0.02, and no bias before a normalization."""
    params = compiled(NET.init)(jax.random.key(0, impl="rbg"), jnp.zeros((1, 4, 4, 3)))["params"]
    block = params["small"]["blocks"]
    assert set(block["conv1"]) == {"kernel"} and "bias" in params["small"]["conv1"]
    assert np.std(params["small"]["conv1"]["kernel"]) == pytest.approx(0.02, rel=0.1)
    assert 0 < np.abs(block["norm1"]["scale"] - 1).max() < 0.1


def test_the_discriminator_is_the_published_one():
    x = np.float32(RNG.normal(size=(2, 7, 12, 3)))
    shapes = jax.eval_shape(SMALL.init, jax.random.key(0), x)
    rng = np.random.default_rng(3)
    variables = jax.tree.map(lambda leaf: np.float32(0.2 + 0.2 * rng.random(leaf.shape)), shapes)
    params, running = variables["params"], variables["batch_stats"]
    y = x
    for i in range(1, 5):
        y = conv(y, params[f"conv{i}"])
        y = norm(y[:, ::2, ::2] if i % 2 == 0 else y, params[f"norm{i}"], running[f"norm{i}"])
        y = np.where(y > 0, y, 0.2 * y)
    y = y.reshape(2, -1) @ params["dense1"]["kernel"] + params["dense1"]["bias"]
    y = np.where(y > 0, y, 0.2 * y) @ params["dense2"]["kernel"] + params["dense2"]["bias"]
    assert_close(compiled(SMALL.apply)(variables, x), y)


def test_parameter_count_of_the_discriminator():
    x = jax.ShapeDtypeStruct((2, 160, 160, 3), jnp.float32)
    shapes = jax.eval_shape(Critic().init, jax.random.key(0), x)
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == 17_823_457


def test_mistakes_are_named():
    model = Model(SPEC, NET, 4, random_variables(NET))
    with pytest.raises(UserError, match="takes a photo with the features of references; name one by --reference"):
        model.apply(jnp.zeros((1, 8, 8, 3)))
    with pytest.raises(UserError, match="srntt has no scale 2; choose one of: 4"):
        SPEC.module(2)
    with pytest.raises(UserError, match="unknown normalization 'instance'; choose one of: batch, none"):
        initial_shapes(SPEC.module(4, normalization="instance"))
