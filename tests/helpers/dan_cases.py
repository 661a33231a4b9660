"""Reference outputs of both versions of DAN, and what their tests compare by."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.models import initial_shapes
from tests.reference import dan as reference

Tensors = dict[str, np.ndarray]

# Narrow networks of both versions
SMALL_V1 = {
    "features": 6,
    "blocks": 2,
    "estimator_features": 4,
    "estimator_blocks": 1,
    "kernel_size": 5,
    "code_length": 3,
}
SMALL_V2 = {
    **{"features": 6, "groups": 2, "blocks": 1, "estimator_features": 4, "estimator_blocks": 1},
    **{"kernel_size": 5, "code_length": 3, "rounds": 2},
}

# These networks compile for longer than they run.
compiled = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


def read(path: Path) -> tuple[Tensors, Tensors]:
    """Return the weights {PyTorch's name: array}, and the rest of a reference file, images (..., H, W, C)."""
    with np.load(path) as file:
        data = {name: np.float32(x) for name, x in file.items()}
    tensors = {name.removeprefix("param/"): x for name, x in data.items() if name.startswith("param/")}
    others = {name: x for name, x in data.items() if not name.startswith("param/")}
    return tensors, {**others, **{name: np.moveaxis(others[name], -3, -1) for name in ("in/x", "out/sr")}}


def random_variables(net, seed: int = 0):
    """Return weights and biases that keep features near 1 in size, so that no sigmoid or softmax saturates."""
    rng = np.random.default_rng(seed)

    def draw(leaf):
        fan_in = np.prod(leaf.shape[-4:-1]) if len(leaf.shape) >= 4 else 25
        return jnp.asarray(rng.normal(size=leaf.shape) / fan_in**0.5, jnp.float32)

    return jax.tree.map(draw, initial_shapes(net))


def assert_close(value, expected, tolerance=1e-5):
    """Compare two arrays relatively to the largest value."""
    value, expected = np.asarray(value), np.asarray(expected)
    assert value.shape == expected.shape
    assert np.abs(value - expected).max() <= tolerance * np.abs(expected).max()


def assert_plain(net, restore, estimate, x):
    """Compare all rounds, and the gradients of the weights, with the network written plainly.

    `restore(x, code, params)` and `estimate(x, sr, params, basis)` are its two halves.
    """
    variables = random_variables(net)
    constants, size = variables["constants"], (len(x), *(net.scale * side for side in x.shape[1:3]), 3)
    weights = [jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate((size, (len(x), net.code_length)))]

    def loss(images, codes):
        ends = [0, -1] if net.backpropagate_all else [-1]  # what the first round ends with gets no gradient else
        return sum(jnp.sum(images[i] * weights[0]) + jnp.sum(codes[i] * weights[1]) for i in ends)

    def ours(params):
        result = net.apply({"params": params, "constants": constants}, x, all_rounds=True)
        return loss(result.images, result.codes), (result.images, result.codes)

    def plain(params):
        images, codes = reference.alternate(
            lambda x, code: restore(x, code, params["restorer"]),
            lambda x, sr: estimate(x, sr, params["estimator"], constants["basis"]),
            *(constants["basis"], x),
            rounds=net.rounds,
            detached=not net.backpropagate_all,
        )
        return loss(images, codes), (jnp.stack(images), jnp.stack(codes))

    (_, outputs), gradients = compiled(jax.value_and_grad(ours, has_aux=True))(variables["params"])
    (_, plain_outputs), plain_gradients = compiled(jax.value_and_grad(plain, has_aux=True))(variables["params"])
    jax.tree.map(assert_close, (outputs, gradients), (plain_outputs, plain_gradients))
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradients))
