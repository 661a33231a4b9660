"""What the tasks do to crops before they are degraded: value range, channels, symmetries and contrast."""

import functools

import jax

from jaxsr.imaging.patches import dihedral, stretch_levels
from jaxsr.imaging.pixels import to_channels, to_float
from jaxsr.support.randomness import Stream, streams
from jaxsr.support.types import Key
from jaxsr.training.config import Config


def to_images(crops: jax.Array, channels: int) -> jax.Array:
    """Return RGB `crops` (N, S, S, 3) uint8 in [0, 1], or with `channels` 1 their luma (N, S, S, 1)."""
    return to_channels(to_float(crops), channels)


def augment(images: jax.Array, keys: Key, config: Config) -> jax.Array:
    """Return `images` (N, S, S, C) flipped, turned and some with more contrast, as the config says, by their keys."""
    if config.data.augment:
        indices = jax.vmap(lambda key: jax.random.randint(key, (), 0, 8))(streams(keys, Stream.SYMMETRY))
        images = jax.vmap(dihedral)(images, indices)
    if config.data.stretch:
        images = jax.vmap(functools.partial(stretch_levels, share=config.data.stretch))(keys, images)
    return images
