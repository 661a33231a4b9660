"""Adversarial losses against their formulas; the gradient penalty against finite differences."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.losses.adversarial import (
    ADVERSARIAL_LOSSES,
    bce_discriminator,
    bce_generator,
    gradient_penalty,
    wasserstein_critic,
    wasserstein_generator,
)
from jaxsr.models.deblurgan import PatchCritic
from jaxsr.support.errors import UserError
from tests.helpers.dan_cases import compiled
from tests.reference import deblurgan
from tests.reference import losses as reference

RNG = np.random.default_rng(11)
KEYS = jax.random.split(jax.random.key(5), 2)
CRITIC = PatchCritic(features=2, depth=1)
REAL, FAKE = (RNG.normal(size=(2, 4, 5, 3)) for _ in range(2))
PARAMS = jax.tree.map(
    lambda leaf: 0.3 * RNG.normal(size=leaf.shape), jax.eval_shape(CRITIC.init, KEYS[0], np.float32(REAL))["params"]
)


def test_values():
    real, fake = (np.float32(3 * RNG.normal(size=(2, 3, 1))) for _ in range(2))
    expected = reference.bce_discriminator(real, fake)
    np.testing.assert_allclose(bce_discriminator(real=real, fake=fake), expected, rtol=1e-5)
    np.testing.assert_allclose(bce_generator(fake=fake), -np.log(1 / (1 + np.exp(-fake))), rtol=1e-5)
    np.testing.assert_array_equal(wasserstein_critic(real=real, fake=fake), fake - real)
    np.testing.assert_array_equal(wasserstein_generator(fake=fake), -fake)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_each_network_moves_its_own_way(name):
    """The adversary raises real scores and lowers fake ones, the generator raises them; far scores stay finite."""
    loss = ADVERSARIAL_LOSSES[name]
    for score in (-200.0, 0.0, 200.0):
        real, fake = jax.grad(lambda r, f: loss.adversary(real=r, fake=f), (0, 1))(score, score)
        own = jax.grad(lambda f: loss.generator(fake=f))(score)
        assert np.isfinite([real, fake, own]).all() and real <= 0 <= fake and own <= 0
    assert own == (0 if name == "bce" else -1)
    assert jax.grad(lambda f: loss.generator(fake=f))(-200.0) == -1  # it does not saturate where it loses


def penalty_of(params, real, fake, form):
    """Return the penalty under a patch critic."""
    return gradient_penalty(KEYS, lambda x: CRITIC.apply({"params": params}, x), real=real, fake=fake, form=form)


def shares(form):
    drawn = [float(jax.random.uniform(key)) for key in KEYS]
    return drawn if form == "sample" else [drawn[0]] * 2


@pytest.mark.parametrize("form", ["sample", "pixel"])
def test_the_penalty_is_that_of_finite_differences(form):
    critic = functools.partial(deblurgan.criticize, params=PARAMS)
    expected = reference.gradient_penalty(critic, REAL, FAKE, shares(form), form)
    arguments = jax.tree.map(np.float32, (PARAMS, REAL, FAKE))
    penalty = compiled(penalty_of, static_argnums=3)(*arguments, form)
    assert penalty.shape == ((2,) if form == "sample" else (2, 4, 5))
    np.testing.assert_allclose(penalty, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("form", ["sample", "pixel"])
def test_so_is_its_derivative_by_the_weights(form):
    """Along one direction in the space of weights: the penalty is differentiated twice through the convolutions."""
    direction = jax.tree.map(lambda leaf: RNG.normal(size=leaf.shape), PARAMS)

    def along(step):
        params = jax.tree.map(lambda leaf, d: leaf + step * d, PARAMS, direction)
        critic = functools.partial(deblurgan.criticize, params=params)
        return reference.gradient_penalty(critic, REAL, FAKE, shares(form), form).sum()

    expected = (along(1e-4) - along(-1e-4)) / 2e-4
    params, real, fake, direction = jax.tree.map(np.float32, (PARAMS, REAL, FAKE, direction))
    gradients = compiled(jax.grad(lambda p: penalty_of(p, real, fake, form).sum()))(params)
    products = jax.tree.map(lambda g, d: np.vdot(g, d), gradients, direction)
    np.testing.assert_allclose(sum(jax.tree.leaves(products)), expected, rtol=2e-3)


@pytest.mark.parametrize("form", ["sample", "pixel"])
def test_a_critic_of_gradient_0_and_of_gradient_1(form):
    """Where the critic is flat, the penalty is 1 and its derivative finite; at gradient 1 it is 0."""
    x = jnp.full((2, 3, 3, 1), 0.5)
    scores = {"sample": lambda x: x.sum(axis=(1, 2, 3)) / 3, "pixel": lambda x: x}

    def penalty(slope):
        return gradient_penalty(KEYS, lambda x: slope * scores[form](x), real=x, fake=x, form=form).mean()

    value, derivative = compiled(jax.value_and_grad(penalty))(0.0)
    assert value == 1 and np.isfinite(derivative)
    np.testing.assert_allclose(compiled(penalty)(1.0), 0, atol=1e-6)


@pytest.mark.parametrize("form", ["sample", "pixel"])
def test_the_penalty_has_the_type_of_the_photos(form):
    x = np.ones((2, 4, 4, 1), np.float32)
    with jax.enable_x64(True):
        assert gradient_penalty(KEYS, lambda x: x.sum((1, 2, 3)), real=x, fake=0 * x, form=form).dtype == np.float32


def test_mistakes_are_named():
    with pytest.raises(UserError, match=r"equal shapes; got real \(2, 1\) and fake \(3, 1\)"):
        wasserstein_critic(real=jnp.zeros((2, 1)), fake=jnp.zeros((3, 1)))
    with pytest.raises(UserError, match=r"equal shapes; got real \(2, 1\) and fake \(2, 2\)"):
        bce_discriminator(real=jnp.zeros((2, 1)), fake=jnp.zeros((2, 2)))
    x = jnp.zeros((2, 3, 3, 1))
    with pytest.raises(UserError, match=r"got real \(2, 3, 3, 1\) and fake \(1, 3, 3, 1\)"):
        gradient_penalty(KEYS, lambda x: x, real=x, fake=x[:1])
    with pytest.raises(UserError, match="unknown form of the gradient penalty 'pixels'; did you mean 'pixel'"):
        gradient_penalty(KEYS, lambda x: x, real=x, fake=x, form="pixels")
    for keys in (KEYS[:1], KEYS[0]):
        with pytest.raises(UserError, match="2 photos need as many keys"):
            gradient_penalty(keys, lambda x: x, real=x, fake=x)
    with pytest.raises(UserError, match=r"photos have the shape \(N, H, W, C\); got \(2, 3, 3\); give a single one"):
        gradient_penalty(KEYS, lambda x: x, real=x[..., 0], fake=x[..., 0])


@pytest.mark.parametrize("critic", [jnp.sum, lambda x: x.sum(axis=0)])
def test_a_critic_scores_each_photo(critic):
    x = jnp.zeros((2, 3, 3, 1))
    with pytest.raises(UserError, match=r"the critic scores each of 2 photos, \(N, ...\); got shape \("):
        gradient_penalty(KEYS, critic, real=x, fake=x)
