"""Losses of two networks against each other, per score; the step averages them. Scores may have any shape."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.losses.pixel import check_shapes, root
from jaxsr.support.errors import choose


def bce_discriminator(*, real: jax.Array, fake: jax.Array) -> jax.Array:
    """Return -log D(real) - log(1 - D(fake)) of each pair of logits, of which D is the sigmoid."""
    check_shapes(real=real, fake=fake)
    return jax.nn.softplus(-real) + jax.nn.softplus(fake)


def bce_generator(*, fake: jax.Array) -> jax.Array:
    """Return -log D(fake) of each logit: the form that does not saturate (SRGAN, equation 6)."""
    return jax.nn.softplus(-fake)


def wasserstein_critic(*, real: jax.Array, fake: jax.Array) -> jax.Array:
    """Return fake - real of each pair of scores; the critic needs a `gradient_penalty` beside it."""
    check_shapes(real=real, fake=fake)
    return fake - real


def wasserstein_generator(*, fake: jax.Array) -> jax.Array:
    """Return each score, negated (DeblurGAN, equation 3)."""
    return -fake


class AdversarialLoss(NamedTuple):
    """What the second network minimises, of `real` and `fake` scores, and the generator, of `fake` ones."""

    critic: Callable[..., jax.Array]
    generator: Callable[..., jax.Array]


ADVERSARIAL = {
    "bce": AdversarialLoss(bce_discriminator, bce_generator),
    "wasserstein": AdversarialLoss(wasserstein_critic, wasserstein_generator),
}


def gradient_penalty(
    keys: jax.Array,
    critic: Callable[[jax.Array], jax.Array],
    *,
    real: jax.Array,
    fake: jax.Array,
    form: str = "sample",
) -> jax.Array:
    """Return (|g| - 1)², g being the gradient of `critic` by a photo between `real` and `fake`, both (N, H, W, C).

    Form "sample" gives (N,): each photo lies at its own random place between the two, by its key of `keys` (N,), and g
    is the gradient of its score, the mean of a map of scores. Form "pixel", of DeblurGAN's and SRNTT's code, gives
    (N, H, W): one place, by the first key, serves the batch, a map of scores is summed, and |g| is over channels.
    `critic` takes (N, H, W, C) to (N, ...) and must not mix photos. The usual weight is 10.
    Source: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, equation 3.
    """
    check_shapes(real=real, fake=fake)
    share, score, axes = choose("form of the gradient penalty", form, FORMS)
    place = share(keys)
    between = place * real + (1 - place) * fake
    gradient = jax.grad(lambda x: score(critic(x)))(between)
    return jnp.square(root(jnp.square(gradient).sum(axis=axes)) - 1)


# form -> (where the photo lies (N or 1, 1, 1, 1), what of the scores is differentiated, axes of the norm)
FORMS = {
    "sample": (
        lambda keys: jax.vmap(jax.random.uniform)(keys).reshape(-1, 1, 1, 1),
        lambda scores: scores.sum() * (len(scores) / scores.size),
        (1, 2, 3),
    ),
    "pixel": (
        lambda keys: jax.random.uniform(keys[0], (1, 1, 1, 1)),
        jnp.sum,
        3,
    ),
}
