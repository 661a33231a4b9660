"""Every public loss: a docstring with sections and an example that runs, arrays by position or name, no reduction."""

import doctest
import inspect

import jax
import jax.numpy as jnp
import pytest

from jaxsr import losses
from jaxsr.support.errors import UserError

ARRAYS = {"output", "target", "real", "fake", "similarity", "keys", "critic"}


@pytest.mark.parametrize("name", losses.__all__)
def test_the_example_runs(name):
    function = getattr(losses, name)
    names = {name: function, "jax": jax, "jnp": jnp}
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs=names)
    assert test.examples and doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("name", losses.__all__)
def test_arguments_are_described(name):
    function = getattr(losses, name)
    doc = inspect.getdoc(function) or ""
    for section in ("Example:", "Args:", "Returns:"):
        assert section in doc, f"{name} has no {section}"
    for parameter in inspect.signature(function).parameters.values():
        assert f"    {parameter.name}: " in doc, f"{name} does not describe {parameter.name}"
        if parameter.name not in ARRAYS:
            assert parameter.kind is parameter.KEYWORD_ONLY, f"{name}'s {parameter.name} is an option"


def test_gradients_by_an_output_of_a_network():
    gradient = jax.grad(lambda x: losses.l1(x, jnp.zeros((1, 2, 2, 3))).mean())(jnp.ones((1, 2, 2, 3)))
    assert gradient.shape == (1, 2, 2, 3) and float(gradient.sum()) == pytest.approx(1)


TAKES_ARRAYS = {
    "gradient_penalty": lambda x: losses.gradient_penalty(x, lambda photos: photos, real=ONES, fake=ONES),
    "total_variation": losses.total_variation,
    "match_weights": losses.match_weights,
    "bce_generator": losses.bce_generator,
    "wasserstein_generator": losses.wasserstein_generator,
}
ONES = jnp.ones((1, 2, 2, 3))


@pytest.mark.parametrize("name", losses.__all__)
@pytest.mark.parametrize("values", [[[0.5]], "0.5"])
def test_lists_and_texts_are_refused(name, values):
    loss = TAKES_ARRAYS.get(name) or (lambda x: getattr(losses, name)(x, x))
    with pytest.raises(UserError, match="is of type (list|str), not an array of NumPy or JAX; make one of numbers"):
        loss(values)
