"""Programs that set jax_enable_x64 can use every network: weights stay float32, photos of float64 are taken."""

import jax
import numpy as np
import pytest

from jaxsr.models import MODELS, initial_shapes
from jaxsr.models.precision import in_32_bits
from tests.helpers.networks import REDUCED, network
from tests.helpers.photos import photo


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_float32(name):
    module = MODELS[name].module(MODELS[name].scales[0], **REDUCED[name])
    with jax.enable_x64(True):
        assert {leaf.dtype for leaf in jax.tree.leaves(initial_shapes(module))} <= {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "name", ["espcn", *(pytest.param(name, marks=pytest.mark.slow) for name in ("danv2", "deblurgan"))]
)
def test_photos_of_float64_are_restored_as_those_of_float32(name):
    model, x = network(name, MODELS[name].scales[0], **REDUCED[name]), photo(16, 20)[None] / 255
    expected = model(np.float32(x))
    with jax.enable_x64(True):
        y = model(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_weights_of_float64_compute_in_it():
    with jax.enable_x64(True):
        model = network("espcn", 2)
        model = model.with_params(jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), model.params))
        assert model(photo(16, 20)[None] / 255).dtype == np.float64


def test_learning_has_the_usual_types():
    with jax.enable_x64(True):
        assert in_32_bits(lambda: jax.numpy.ones(2).dtype)() == np.float32
        assert jax.numpy.ones(2).dtype == np.float64
