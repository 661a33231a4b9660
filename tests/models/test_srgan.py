"""SRGAN's discriminator against the paper's figure in NumPy; its count, sizes of patches and statistics."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.srgan import Discriminator
from tests.helpers.dan_cases import assert_close, compiled
from tests.reference.convolution import correlate

RNG = np.random.default_rng(9)
SMALL = Discriminator(features=2, stages=2, hidden=5)


def variables_for(x):
    """Return random weights, and positive variances."""
    shapes = jax.eval_shape(SMALL.init, jax.random.key(0), x)

    def draw(path, leaf):
        values = np.float32(0.5 * RNG.normal(size=leaf.shape))
        return np.abs(values) + np.float32(0.2) if path[-1].key == "var" else values

    return jax.tree_util.tree_map_with_path(draw, shapes)


def reference(x, variables):
    """Return the logits of a discriminator of two stages."""
    params, statistics = variables["params"], variables["batch_stats"]
    for i in range(1, 5):
        layer = params[f"conv{i}"]
        x = correlate(x, layer["kernel"], (1, 1)) + layer["bias"]
        x = x[:, ::2, ::2] if i % 2 == 0 else x
        if i > 1:
            norm, running = params[f"norm{i}"], statistics[f"norm{i}"]
            x = (x - running["mean"]) / np.sqrt(running["var"] + 1e-5) * norm["scale"] + norm["bias"]
        x = np.where(x > 0, x, 0.2 * x)
    x = x.reshape(len(x), -1) @ params["dense1"]["kernel"] + params["dense1"]["bias"]
    return np.where(x > 0, x, 0.2 * x) @ params["dense2"]["kernel"] + params["dense2"]["bias"]


@pytest.mark.parametrize("size", [(8, 12), (7, 9), (1, 2)])
def test_layers_are_the_papers_for_any_patch(size):
    x = np.float32(RNG.normal(size=(2, *size, 3)))
    variables = variables_for(x)
    assert_close(compiled(SMALL.apply)(variables, x), reference(x, variables))


@pytest.mark.parametrize(("patch", "count"), [(96, 23_565_505), (24, 6_788_289)])
def test_parameter_count(patch, count):
    """A patch of 96 ends as 6x6, one of 24 as 2x2 pixels of 512 features."""
    x = jax.ShapeDtypeStruct((2, patch, patch, 3), jnp.float32)
    shapes = jax.eval_shape(Discriminator().init, jax.random.key(0), x)
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == count


def test_training_normalizes_by_the_batch_and_moves_the_statistics():
    x = np.float32(RNG.normal(size=(3, 6, 6, 3)))
    variables = variables_for(x)
    train = compiled(functools.partial(SMALL.apply, train=True, mutable=["batch_stats"]))
    logits, updated = train(variables, x)
    params = variables["params"]
    y = correlate(x, params["conv1"]["kernel"], (1, 1)) + params["conv1"]["bias"]
    y = correlate(np.where(y > 0, y, 0.2 * y), params["conv2"]["kernel"], (1, 1))[:, ::2, ::2] + params["conv2"]["bias"]
    mean = 0.9 * variables["batch_stats"]["norm2"]["mean"] + 0.1 * y.mean(axis=(0, 1, 2))
    np.testing.assert_allclose(updated["batch_stats"]["norm2"]["mean"], mean, atol=1e-5)
    assert logits.shape == (3, 1) and np.abs(logits - compiled(SMALL.apply)(variables, x)).max() > 1e-3


def test_gradients_are_finite_on_flat_patches():
    x = jnp.full((2, 8, 8, 3), -1.0)
    variables = variables_for(x)

    def loss(params, x):
        tree = {"params": params, "batch_stats": variables["batch_stats"]}
        return jnp.sum(SMALL.apply(tree, x, train=True, mutable=["batch_stats"])[0])

    gradients = compiled(jax.grad(loss, (0, 1)))(variables["params"], x)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert np.abs(gradients[0]["dense1"]["kernel"]).max() > 0
