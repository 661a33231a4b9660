"""Narrow networks, random weights for them, and how far an output pixel depends on the input."""

import jax
import numpy as np

from jaxsr.models import MODELS, Model, initial_shapes
from jaxsr.models.vgg import BLOCKS, CONVOLUTIONS

# Options under which a network is shallow and narrow
REDUCED = {
    "bicubic": {},
    "srcnn": {"kernel_sizes": (5, 1, 3), "features": (6, 4)},
    "fsrcnn": {"feature_channels": 6, "shrink_channels": 4, "mapping_layers": 1},
    "espcn": {"features": (6, 4)},
    "vdsr": {"depth": 4, "features": 8},
    "drcn": {"features": 8, "recursions": 3},
    "rdn": {"blocks": 2, "layers": 2, "growth": 4, "features": 8},
    "lapsrn": {"depth": 2, "features": 8},
    "mslapsrn": {"depth": 2, "recursions": 2, "features": 8},
    "srdensenet": {"growth": 4, "blocks": 2, "layers": 2, "low_features": 4, "bottleneck_features": 8},
    "srresnet": {"blocks": 2, "features": 8},
    "srgan": {"blocks": 2, "features": 8},
    "real": {"blocks": 2, "features": 8, "normalization": "none"},
    "danv1": {"blocks": 2, "features": 8, "estimator_features": 4, "estimator_blocks": 1},
    "danv2": {"groups": 2, "blocks": 1, "features": 8, "estimator_features": 4, "estimator_blocks": 1},
    "zssr": {"depth": 3, "features": 6},
    "deblurgan": {"blocks": 1, "features": 4},
    "srntt": {"blocks": 2, "features": 4},
}


def lively(module, seed: int = 0):
    """Return random weights large enough that every layer matters."""
    leaves, tree = jax.tree.flatten(initial_shapes(module))
    keys = jax.random.split(jax.random.key(seed), len(leaves))
    return jax.tree.unflatten(tree, [0.3 * jax.random.normal(k, x.shape) for k, x in zip(keys, leaves, strict=True)])


def network(name: str, scale: int, **options) -> Model:
    """Return a model whose random weights make every layer matter, without leaving [0, 1] by far."""
    module = MODELS[name].module(scale, **options)
    return Model(MODELS[name], module, scale, jax.tree.map(lambda x: 0.3 * x, lively(module)))


def random_variables(module, seed: int = 0):
    """Return random weights large enough that every layer matters; variances are positive."""
    rng = np.random.default_rng(seed)

    def draw(path, leaf):
        x = np.float32(0.3 * rng.normal(size=leaf.shape))
        return np.abs(x) + np.float32(0.2) if path[-1].key == "var" else x

    return jax.tree_util.tree_map_with_path(draw, initial_shapes(module))


def quiet_variables(module, seed: int = 0):
    """Return random weights under which features keep their size."""
    shapes = initial_shapes(module)
    rng = np.random.default_rng(seed)

    def draw(path, leaf):
        x = rng.normal(size=leaf.shape)
        if path[-1].key == "kernel":
            return np.float32(x / np.sqrt(np.prod(leaf.shape[-4:-1])))
        return np.float32(1 + 0.1 * x) if path[-1].key in ("var", "scale") else np.float32(0.1 * x)

    return jax.tree_util.tree_map_with_path(draw, shapes)


def apply(module, variables, x):
    """Return the network's output for `x`, compiled."""
    return np.asarray(jax.jit(module.apply)(variables, x))


def assert_reach(net, variables, scale: int, radius: int):
    """One output block's derivative by the input reaches `radius` pixels in every direction, and not one more."""
    rng = np.random.default_rng(5)
    middle, side = radius + 2, 2 * radius + 5
    block = slice(middle * scale, (middle + 1) * scale)
    weights = rng.random((scale, scale, net.channels)).astype(np.float32)
    x = rng.random((1, side, side, net.channels)).astype(np.float32)
    derivative = jax.jit(jax.grad(lambda x: (net.apply(variables, x)[0, block, block] * weights).sum()))(x)
    reach = np.argwhere(np.abs(derivative[0]).sum(axis=-1) > 0) - middle
    assert (reach.min(axis=0) == -radius).all() and (reach.max(axis=0) == radius).all()


def random_vgg(last):
    """Return VGG19's weights up to the convolution `last` that keep features near 1 in size."""
    rng, params, inputs = np.random.default_rng(8), {}, 3
    for name in CONVOLUTIONS[: CONVOLUTIONS.index(last) + 1]:
        features = BLOCKS[int(name[4]) - 1][0]
        kernel = rng.normal(scale=(2 / (9 * inputs)) ** 0.5, size=(3, 3, inputs, features))
        params[name] = {"kernel": np.float32(kernel), "bias": np.float32(0.1 * rng.normal(size=features))}
        inputs = features
    return params
