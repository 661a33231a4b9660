"""Photos whose height and width are symbols, as in an exported program: what else asks for their numbers."""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

Size: TypeAlias = Any  # a number, or an expression of `jax.export`, whose type is not public


def is_symbolic(side: Size) -> bool:
    """Return whether a side of an array is a symbol of `jax.export` instead of a number."""
    return export.is_symbolic_dim(side)


def enlarge_by_phases(image: jax.Array, taps: np.ndarray, first: int, stride: int) -> jax.Array:
    """Return `image` (N, H, W, C) resized by p / `stride`, as one convolution for all phases of the result.

    Row a of `taps` (p, T) has the weights that output pixels p i + a give to the input pixels from `stride` i + `first`
    on, in both dimensions. Beyond the border pixels repeat as in a mirror, the outermost too. H and W are multiples of
    `stride`.
    """
    phases, count = taps.shape
    n, height, width, channels = image.shape
    ends = (-first, first + count - stride)
    kernel = np.einsum("ay,bx->yxab", taps, taps).reshape(count, count, 1, phases**2)
    y = jax.lax.conv_general_dilated(
        _mirrored(_mirrored(image, ends, 1), ends, 2),
        jnp.asarray(np.tile(kernel, channels), image.dtype),
        (stride, stride),
        "VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=channels,
        precision=jax.lax.Precision.HIGHEST,
    )
    rows, columns = height // stride, width // stride
    y = y.reshape(n, rows, columns, channels, phases, phases).transpose(0, 1, 4, 2, 5, 3)
    return y.reshape(n, phases * rows, phases * columns, channels)


def _mirrored(x: jax.Array, ends: tuple[int, int], axis: int) -> jax.Array:
    """Return `x` with its first and last pixels along `axis`, as many as `ends` says, repeated as in a mirror."""
    side = x.shape[axis]
    before = [jax.lax.slice_in_dim(x, i, i + 1, axis=axis) for i in reversed(range(ends[0]))]
    after = [jax.lax.slice_in_dim(x, side - i - 1, side - i, axis=axis) for i in range(ends[1])]
    return jnp.concatenate([*before, x, *after], axis=axis)


def reflect_to_multiples(x: jax.Array, multiple: int) -> jax.Array:
    """Return `x` (N, H, W, C) reflected at the bottom and right, without repeating the edge, to multiples."""
    for axis in (1, 2):
        side = x.shape[axis]
        place = jnp.arange((side + multiple - 1) // multiple * multiple)
        x = jnp.take(x, jnp.minimum(place, 2 * (side - 1) - place), axis=axis, mode="clip")
    return x
