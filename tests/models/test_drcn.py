"""DRCN's recursion and its sum, against the equations spelled out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.models.drcn import DRCN
from tests.reference.convolution import correlate

PHOTO = np.random.default_rng(0).random((2, 7, 8, 1), np.float32)


def lively(net):
    """Return random variables in which every layer matters."""
    variables = net.init(jax.random.key(0), PHOTO)
    leaves, tree = jax.tree.flatten(variables)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    noisy = [leaf + 0.2 * jax.random.normal(key, leaf.shape) for key, leaf in zip(keys, leaves, strict=True)]
    return jax.tree.unflatten(tree, noisy)


def test_drcn_is_its_equations():
    net = DRCN(features=4, recursions=3)
    variables = lively(net)
    params = jax.tree.map(lambda x: np.asarray(x, np.float64), variables["params"])

    def layer(h, p):
        return correlate(h, p["kernel"], (1, 1)) + p["bias"]

    relu = lambda h: np.maximum(h, 0)  # noqa: E731
    h, each = relu(layer(relu(layer(PHOTO, params["embedding1"])), params["embedding2"])), []
    for _ in range(3):
        h = relu(layer(h, params["recursion"]["shared"]))
        y = relu(layer(h, params["recursion"]["reconstruction1"]))
        each.append(PHOTO + layer(y, params["recursion"]["reconstruction2"]))
    output = net.apply(variables, PHOTO, recursions=True)
    np.testing.assert_allclose(output.each, each, rtol=1e-4, atol=1e-4)
    expected = sum(w * y for w, y in zip(params["weights"], each, strict=True))
    np.testing.assert_allclose(output.sr, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(net.apply(variables, PHOTO), output.sr)


@pytest.mark.slow
def test_recursions_start_as_the_identity():
    net = DRCN(features=5, recursions=4)
    each = np.asarray(net.apply(net.init(jax.random.key(2), PHOTO), PHOTO, recursions=True).each)
    for later in each[1:]:
        np.testing.assert_allclose(later, each[0], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"features": 4, "recursions": 2}])
def test_rematerialisation_changes_no_gradient(options):
    plain, remat = (DRCN(**options, remat=on) for on in (False, True))
    variables = lively(plain)
    first, second = (
        jax.jit(jax.grad(lambda v, net=net: jnp.sum(net.apply(v, PHOTO) ** 2)))(variables) for net in (plain, remat)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), first, second)
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(first))
