"""Resizing by factors that are drawn on the device: matrices whose factor is a number, on canvases of fixed size.

A compiled program has fixed shapes, so a photo of a random size lies in the first rows and columns of a canvas that
has room for the largest; beyond it, its last pixel goes on. Any factor and filter then is one matrix per axis, where
`lax.switch` over a few factors would run every branch under vmap.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

FILTERS = ("area", "bilinear", "bicubic")


class Canvas(NamedTuple):
    """A photo of `height` x `width` pixels, which may be traced, in the first of `pixels` (H, W, C)."""

    pixels: jax.Array
    height: jax.Array | int
    width: jax.Array | int


def resize_canvas(
    photo: Canvas, room: tuple[int, int], height: jax.Array | int, width: jax.Array | int, method: jax.Array | int
) -> Canvas:
    """Return `photo` resized to `height` x `width` pixels by FILTERS[`method`], on a canvas of `room` (H, W).

    Sizes and method may be traced; the size has to lie within the room. Reductions are antialiased. Taps beyond the
    border are left out and the others divided by their sum, as in Pillow.
    """
    rows = resize_weights(photo.pixels.shape[0], photo.height, room[0], height, method)
    columns = resize_weights(photo.pixels.shape[1], photo.width, room[1], width, method)
    pixels = jnp.einsum("mh,hwc->mwc", rows, photo.pixels, precision=jax.lax.Precision.HIGHEST)
    return Canvas(jnp.einsum("nw,mwc->mnc", columns, pixels, precision=jax.lax.Precision.HIGHEST), height, width)


def resize_weights(
    length: int, inside: jax.Array | int, room: int, size: jax.Array | int, method: jax.Array | int
) -> jax.Array:
    """Return the matrix (room, length) that resizes the first `inside` pixels to the first `size` of `room`.

    Rows sum to 1; those from `size` on repeat the last one.
    """
    ratio = inside / size
    starts = jnp.minimum(jnp.arange(room), size - 1)[:, None] * ratio
    pixels = jnp.arange(length)[None]
    distances = jnp.abs(pixels + 0.5 - (starts + ratio / 2)) / jnp.maximum(ratio, 1)
    overlap = jnp.minimum(pixels + 1, starts + ratio) - jnp.maximum(pixels, starts)
    kernels = [jnp.maximum(overlap, 0), jnp.maximum(1 - distances, 0)]
    weights = jnp.select([jnp.asarray(method) == i for i in (0, 1)], kernels, _cubic(distances))
    weights = jnp.where(pixels < inside, weights, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def _cubic(x: jax.Array) -> jax.Array:
    """Return Keys' cubic convolution kernel with a = -0.5 at the distances `x`, which are not negative."""
    inner = (1.5 * x - 2.5) * x**2 + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return jnp.where(x <= 1, inner, jnp.where(x <= 2, outer, 0))
