"""Losses of two networks against each other, one value for each score. Scores may have any shape.

A discriminator's scores are logits, whose sigmoid is the probability that a photo is real; a critic's (Wasserstein)
are numbers without bounds, higher for real photos. Where either may stand, jaxsr speaks of the adversary.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.imaging.arrays import check_are_arrays, check_batch
from jaxsr.losses.elementwise import check_arrays, root
from jaxsr.support.errors import UserError, choose
from jaxsr.support.randomness import check_keys
from jaxsr.support.types import Key


def bce_discriminator(real: jax.Array, fake: jax.Array) -> jax.Array:
    """Return -log D(real) - log(1 - D(fake)) of each pair of logits: what a discriminator D minimises.

    Example:
        >>> round(bce_discriminator(jnp.zeros((4, 1)), jnp.zeros((4, 1))).mean().item(), 4)
        1.3863

    Args:
        real: logits of real photos, of any shape, such as (N, 1).
        fake: logits of the generator's photos, in the same shape.

    Returns:
        The scores' losses, 0 or more, in their shape; not reduced.

    Raises:
        UserError: `real` and `fake` differ in shape, or are not floats.

    Source: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, equation 1.
    """
    check_arrays(real=real, fake=fake)
    return jax.nn.softplus(-real) + jax.nn.softplus(fake)


def bce_generator(fake: jax.Array) -> jax.Array:
    """Return -log D(fake) of each logit: what a generator minimises, in the form that does not saturate.

    Example:
        >>> round(bce_generator(jnp.zeros((4, 1))).mean().item(), 4)
        0.6931

    Args:
        fake: logits of the generator's photos, of any shape.

    Returns:
        The scores' losses, 0 or more, in their shape; not reduced.

    Raises:
        UserError: `fake` is not floats.

    Source: Ledig et al., CVPR 2017, equation 6 (SRGAN).
    """
    check_arrays(fake=fake)
    return jax.nn.softplus(-fake)


def wasserstein_critic(real: jax.Array, fake: jax.Array) -> jax.Array:
    """Return fake - real of each pair of scores: what a critic minimises, with a `gradient_penalty` beside it.

    Example:
        >>> wasserstein_critic(jnp.full((4, 1), 2.0), jnp.full((4, 1), 0.5)).mean().item()
        -1.5

    Args:
        real: scores of real photos, of any shape, without bounds.
        fake: scores of the generator's photos, in the same shape.

    Returns:
        The scores' losses, of either sign, in their shape; not reduced.

    Raises:
        UserError: `real` and `fake` differ in shape, or are not floats.

    Source: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, equation 3.
    """
    check_arrays(real=real, fake=fake)
    return fake - real


def wasserstein_generator(fake: jax.Array) -> jax.Array:
    """Return each score, negated: what a generator minimises.

    Example:
        >>> wasserstein_generator(jnp.full((4, 1), 0.5)).mean().item()
        -0.5

    Args:
        fake: scores of the generator's photos, of any shape, without bounds.

    Returns:
        The scores' losses, of either sign, in their shape; not reduced.

    Raises:
        UserError: `fake` is not floats.

    Source: Kupyn et al., "DeblurGAN", CVPR 2018, section 3.1.
    """
    check_arrays(fake=fake)
    return -fake


class AdversarialLoss(NamedTuple):
    """What the `adversary` minimises, of `real` and `fake` scores, and the `generator`, of `fake` ones."""

    adversary: Callable[..., jax.Array]
    generator: Callable[..., jax.Array]


ADVERSARIAL_LOSSES = {
    "bce": AdversarialLoss(bce_discriminator, bce_generator),
    "wasserstein": AdversarialLoss(wasserstein_critic, wasserstein_generator),
}


def gradient_penalty(
    keys: Key, critic: Callable[[jax.Array], jax.Array], *, real: jax.Array, fake: jax.Array, form: str = "sample"
) -> jax.Array:
    """Return (|g| - 1)², g being the gradient of `critic` by a photo between a real and a fake one.

    Example:
        >>> keys = jax.random.split(jax.random.key(0), 2)
        >>> photos = jnp.zeros((2, 4, 4, 3))
        >>> gradient_penalty(keys, lambda x: x.sum(axis=(1, 2, 3)) / 48**0.5, real=photos, fake=photos).shape
        (2,)

    Args:
        keys: a key for each photo (N,), which draws the place between `real` and `fake`.
        critic: takes photos (N, H, W, C) to scores (N, ...); it must not mix photos, as batch normalization does.
        real: real photos (N, H, W, C), in any range.
        fake: the generator's photos, in the same shape and range.
        form: "sample" draws a place for each photo; g is the gradient of its score, or of the mean of its map of
            scores, and |g| is over the whole photo. "pixel", of DeblurGAN's and SRNTT's code, draws one place for the
            batch, by the first key; g is the gradient of the sum of the map, and |g| is over channels.

    Returns:
        The penalties, 0 or more: (N,) of form "sample", (N, H, W) of form "pixel"; not reduced. The usual weight
        is 10.

    Raises:
        UserError: `real` and `fake` differ in shape, are not floats, are no batch, or have another number of keys, the
            `critic` does not score each photo, or there is no such `form`.

    Source: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, equation 3.
    """
    check_arrays(real=real, fake=fake)
    check_batch(real)
    check_are_arrays(keys=keys)
    check_keys(keys, len(real))
    draw_share, score, axes = choose("form of the gradient penalty", form, PENALTY_FORMS)
    share = draw_share(keys).astype(real.dtype)
    between = share * real + (1 - share) * fake
    gradient = jax.grad(lambda x: score(_scores(critic, x)))(between)
    return jnp.square(root(jnp.square(gradient).sum(axis=axes)) - 1)


def _scores(critic: Callable[[jax.Array], jax.Array], photos: jax.Array) -> jax.Array:
    """Return the scores (N, ...) of `photos` (N, H, W, C); raises UserError unless each photo has its own."""
    scores = critic(photos)
    if jnp.shape(scores)[:1] != photos.shape[:1]:
        raise UserError(
            f"the critic scores each of {len(photos)} photos, (N, ...); got shape {jnp.shape(scores)}; leave out the "
            f"mean or sum over photos"
        )
    return scores


# form -> (the share of the real photo, (N or 1, 1, 1, 1), what of the scores is differentiated, axes of the norm)
PENALTY_FORMS = {
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
