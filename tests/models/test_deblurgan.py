"""DeblurGAN against the reference implementation and slow NumPy; its counts, dropout, odd sizes and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.api.restoring import restore
from jaxsr.models import Model, count_parameters, initial_shapes
from jaxsr.models.deblurgan import SPEC, DeblurGAN, PatchCritic
from jaxsr.support.errors import UserError
from jaxsr.weights.importers import import_tensors
from jaxsr.weights.importers.import_deblurgan import convert_critic
from tests.helpers.dan_cases import assert_close, compiled
from tests.helpers.tiles import enlarge
from tests.reference import deblurgan as reference

RNG = np.random.default_rng(9)
SMALL = DeblurGAN(features=4, blocks=2)


def random_variables(shapes):
    """Return weights of about the authors' effect: normalization takes their size out again."""
    return jax.tree.map(lambda leaf: np.float32(0.2 * RNG.normal(size=leaf.shape)), shapes)


def read(path):
    """Return the weights by PyTorch's names, input and output (N, H, W, C) of a reference file."""
    with np.load(path) as file:
        tensors = {name.removeprefix("param/"): x for name, x in file.items() if name.startswith("param/")}
        return tensors, *(file[name].transpose(0, 2, 3, 1) for name in ("in/x", "out/y"))


def photo(height, width):
    return np.float32(RNG.random((1, height, width, 3)))


@pytest.mark.shared
def test_golden_generator(shared):
    tensors, x, expected = read(shared / "golden" / "deblurgan_generator.npz")
    model = import_tensors("deblurgan", tensors)
    assert model.scale == 1 and model.module == DeblurGAN(features=16)
    assert_close(compiled(model.module.apply)(model.variables, x), expected, 2e-5)


@pytest.mark.shared
def test_golden_critic(shared):
    tensors, x, expected = read(shared / "golden" / "deblurgan_critic.npz")
    params = jax.tree.map(np.float32, convert_critic(tensors))
    assert_close(compiled(PatchCritic(features=16).apply)({"params": params}, x), expected)


@pytest.mark.parametrize("net", [SMALL, DeblurGAN(channels=1, features=3, blocks=1)])
def test_layers_are_the_papers(net):
    variables = random_variables(initial_shapes(net))
    x = np.float32(RNG.uniform(-1, 1, (2, 12, 8, net.channels)))
    y = compiled(net.apply)(variables, x)
    assert (np.abs(y) < 1).any() and (np.abs(y) == 1).any()
    assert_close(y, reference.generate(x, variables["params"]))


@pytest.mark.parametrize("size", [(16, 12), (15, 17), (2, 5)])
def test_the_critic_takes_any_size(size):
    critic, x = PatchCritic(features=3, depth=2), np.float32(RNG.normal(size=(2, *size, 3)))
    params = random_variables(jax.eval_shape(critic.init, jax.random.key(0), x))["params"]
    assert_close(compiled(critic.apply)({"params": params}, x), reference.criticize(x, params))


def test_parameter_counts_and_scores():
    assert count_parameters(SPEC, 1) == count_parameters(SPEC, 1, **SPEC.variants["9"]) == 11_378_179
    x = jax.ShapeDtypeStruct((1, 256, 256, 3), jnp.float32)
    y, variables = jax.eval_shape(PatchCritic().init_with_output, jax.random.key(0), x)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 2_764_737
    assert y.shape == (1, 35, 35, 1)


@pytest.mark.slow
def test_dropout_is_for_training():
    x = np.concatenate([photo(8, 8), photo(8, 8)])
    variables = random_variables(initial_shapes(SMALL))

    def train(net, keys):
        return compiled(lambda keys: net.apply(variables, x, keys=keys))(keys)

    keys = jax.random.split(jax.random.key(0), len(x))
    first = train(SMALL, keys)
    np.testing.assert_array_equal(train(SMALL, keys), first)
    assert np.abs(first - train(SMALL, keys[::-1])).max() > 0.01
    alone = compiled(lambda keys: SMALL.apply(variables, x[1:], keys=keys))(keys[1:])
    assert_close(alone, first[1:], 1e-3)  # what is dropped of a photo does not depend on the others
    without = train(SMALL.clone(dropout=0.0), keys)
    assert_close(without, compiled(SMALL.apply)(variables, x), 1e-3)  # normalization enlarges rounding


@pytest.mark.parametrize("size", [(5, 6), (13, 10)])
def test_a_photo_of_any_size_is_reflected_to_a_multiple_of_4(size):
    model = Model(SPEC, SMALL, 1, random_variables(initial_shapes(SMALL)))
    pixels = photo(*size)[0]
    ends = [(0, -side % 4) for side in size]
    x = np.pad(pixels, (*ends, (0, 0)), mode="reflect")[None]
    expected = (reference.generate(2 * x - 1, model.params) + 1) / 2
    y = enlarge(model, pixels, quantize=False)
    assert y.shape == pixels.shape
    np.testing.assert_allclose(y, expected[0, : size[0], : size[1]], atol=1e-5)


def test_a_grey_photo_and_the_ensemble():
    net = SMALL.clone(blocks=1)
    model = Model(SPEC, net, 1, random_variables(initial_shapes(net)))
    pixels = np.uint8(RNG.integers(0, 256, (7, 7, 1)))
    y = enlarge(model, pixels, ensemble=True)
    turned = enlarge(model, pixels.swapaxes(0, 1), ensemble=True).swapaxes(0, 1)
    assert y.shape == pixels.shape and y.dtype == np.uint8 and y.std() > 0
    assert np.abs(y.astype(int) - turned).max() <= 1


def test_alpha_stays_as_it_is():
    net = SMALL.clone(blocks=1)
    model = Model(SPEC, net, 1, random_variables(initial_shapes(net)))
    pixels = np.uint8(RNG.integers(1, 256, (7, 7, 4)))  # under an alpha of 0 the colours would be replaced
    y = restore(pixels, model)
    np.testing.assert_array_equal(y[..., 3], pixels[..., 3])
    np.testing.assert_array_equal(y[..., :3], enlarge(model, pixels[..., :3]))


@pytest.mark.slow
def test_gradients_are_finite_on_flat_photos():
    """The normalization of a flat map divides by the root of its epsilon."""
    flat = jnp.full((1, 8, 8, 3), 0.25)
    critic = PatchCritic(features=3, depth=1)
    net = SMALL.clone(blocks=1)
    shapes = initial_shapes(net), jax.eval_shape(critic.init, jax.random.key(0), flat)
    variables = [random_variables(tree)["params"] for tree in shapes]

    def score(params):
        y = net.apply({"params": params[0]}, flat)
        return critic.apply({"params": params[1]}, y).mean()

    gradients = compiled(jax.grad(score))(variables)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert np.abs(gradients[0]["conv2"]["bias"]).max() > 0


def test_mistakes_are_named():
    model = Model(SPEC, SMALL, 1, jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), initial_shapes(SMALL)))
    with pytest.raises(UserError, match="4x7 pixels is too small for deblurgan, which takes at least 5x5"):
        enlarge(model, photo(7, 4)[0])
    with pytest.raises(UserError, match="deblurgan has no scale 2; choose one of: 1"):
        SPEC.module(2)
