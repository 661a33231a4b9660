"""Crops, flips and contrast, and the positions of sub-images."""

import jax
import jax.numpy as jnp

from jaxsr.imaging.arrays import Array
from jaxsr.support.randomness import Stream, stream
from jaxsr.support.types import Key


def center_crop(image: Array, height: int, width: int) -> Array:
    """Return the middle (..., height, width, C) of `image` (..., H, W, C), rounded to the top left."""
    top, left = (image.shape[-3] - height) // 2, (image.shape[-2] - width) // 2
    return image[..., top : top + height, left : left + width, :]


def cut_border(image: Array, border: int) -> Array:
    """Return `image` (..., H, W, C) without its outermost `border` pixels, 1 or more."""
    return image[..., border:-border, border:-border, :]


def dihedral(image: jax.Array, index: jax.Array) -> jax.Array:
    """Return a square `image` (S, S, C) under one of its 8 symmetries, `index` 0 (none) to 7.

    Bit 0 flips rows, bit 1 flips columns, bit 2 transposes (after the flips).
    """
    image = jnp.where(index & 1, image[::-1], image)
    image = jnp.where(index & 2, image[:, ::-1], image)
    return jnp.where(index & 4, image.swapaxes(0, 1), image)


def stretch_levels(key: Key, image: jax.Array, *, share: float) -> jax.Array:
    """Return `image` in [0, 1]; with probability `share` its contrast is raised 1 to 4 times, and clipped to [0, 1].

    A network that was never trained on flat black beside detail can produce checkerboard artefacts there. `key` is that
    of a training example; the draw comes from its stream CONTRAST.
    """
    chosen, gain, pivot = jax.random.uniform(stream(key, Stream.CONTRAST), (3,))
    stretched = jnp.clip((image - pivot) * 4**gain + pivot, 0, 1)
    return jnp.where(chosen < share, stretched, image)


def sub_image_starts(size: int, side: int, stride: int) -> list[int]:
    """Return the starts of sub-images of `side` along a dimension of `size`; the last one ends at the far edge."""
    if size <= side:
        return [0]
    return [*range(0, size - side, stride), size - side]


def shave(image: Array, border: int) -> Array:
    """Return `image` (H, W, C) without `border` pixels on each side."""
    return image[border : image.shape[0] - border, border : image.shape[1] - border]


def modcrop(image: Array, scale: int) -> Array:
    """Return `image` (H, W, C) cut at the bottom and right to multiples of `scale`."""
    return image[: image.shape[0] - image.shape[0] % scale, : image.shape[1] - image.shape[1] % scale]
