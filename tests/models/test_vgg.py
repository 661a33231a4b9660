"""VGG19 layer by layer in NumPy, what its weights expect of a photo, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.vgg import LAYERS, VGG19, check_layers, pooled
from jaxsr.support.errors import UserError
from tests.helpers.dan_cases import assert_close, compiled
from tests.helpers.networks import random_vgg
from tests.reference.convolution import correlate

RNG = np.random.default_rng(10)


def reference(x, params):
    """Return all layers' features; `x` is as the weights expect it."""
    found = {}
    for name, layer in params.items():
        if name[6] == "1" and name[4] != "1":
            x = np.stack([x[:, a : x.shape[1] - 1 + a : 2, b : x.shape[2] - 1 + b : 2] for a in (0, 1) for b in (0, 1)])
            x = x.max(axis=0)
        found[name] = correlate(x, layer["kernel"], (1, 1)) + layer["bias"]
        x = found[name.replace("conv", "relu")] = np.maximum(found[name], 0)
    return found


def features(params, x, *layers, **options):
    return compiled(VGG19(layers, **options).apply)({"params": params}, x)


def test_every_layer_is_the_papers():
    params, x = random_vgg("conv5_4"), np.float32(RNG.normal(size=(1, 20, 17, 3)))
    found, expected = features(params, x, *LAYERS, convention="none"), reference(x, params)
    assert set(found) == set(expected) == set(LAYERS) and len(LAYERS) == 32
    for layer in LAYERS:
        assert_close(found[layer], expected[layer])
    assert found["conv5_4"].shape == (1, 1, 1, 512) and found["conv5_4"].min() < 0 <= found["relu5_4"].min()


def test_what_the_weights_expect():
    """The same photo in three ranges, under the rules of the two files."""
    params, photo = random_vgg("conv1_1"), np.float32(RNG.random((1, 6, 5, 3)))
    torchvision = (photo - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    caffe = 255 * photo - np.array([123.68, 116.779, 103.939])
    for convention, x in (("torchvision", torchvision), ("caffe", caffe)):
        expected = reference(x, params)["conv1_1"]
        for low, high in ((0, 1), (-1, 1), (0, 255)):
            ranged = np.float32(low + (high - low) * photo)
            found = features(params, ranged, "conv1_1", value_range=(low, high), convention=convention)
            assert_close(found["conv1_1"], expected)


def test_only_what_is_asked_for_is_needed():
    layers = ("conv2_1", "relu1_2")
    shapes = jax.eval_shape(VGG19(layers).init, jax.random.key(0), jnp.zeros((1, 8, 8, 3)))["params"]
    assert set(shapes) == {"conv1_1", "conv1_2", "conv2_1"}
    assert set(features(random_vgg("conv2_1"), np.zeros((1, 8, 8, 3), np.float32), *layers)) == set(layers)


def test_gradients_are_finite_on_flat_photos():
    """Four equal pixels share the gradient of their maximum."""
    np.testing.assert_array_equal(jax.grad(lambda x: pooled(x).sum())(jnp.ones((1, 4, 4, 2))), 0.25)
    params, flat = random_vgg("conv2_1"), jnp.full((1, 4, 4, 3), 0.5)
    net = VGG19(("conv2_1",))
    gradient = compiled(jax.grad(lambda x: net.apply({"params": params}, x)["conv2_1"].sum()))(flat)
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_mistakes_are_named():
    with pytest.raises(UserError, match="unknown layer of VGG19 'relu2_3'; did you mean"):
        features({}, np.zeros((1, 8, 8, 3), np.float32), "relu2_3")
    with pytest.raises(UserError, match="VGG19 needs at least one layer"):
        features({}, np.zeros((1, 8, 8, 3), np.float32))
    with pytest.raises(UserError, match=r"at least 4x4 pixels for conv3_1; got \(1, 3, 8, 3\)"):
        features({}, np.zeros((1, 3, 8, 3), np.float32), "relu3_1")
    with pytest.raises(UserError, match="unknown convention 'caffee'; did you mean 'caffe'"):
        features({}, np.zeros((1, 8, 8, 3), np.float32), "relu1_1", convention="caffee")
    with pytest.raises(UserError, match="cut.pth ends with conv2_1, but conv5_4 was asked for"):
        check_layers(["relu1_1", "conv5_4"], random_vgg("conv2_1"), "cut.pth")
