"""Features composed of a reference's patches: SRNTT's swap, equation 4, by gathering, without a loop over patches.

Zhang, Wang, Lin, Qi, "Image Super-Resolution by Neural Texture Transfer", CVPR 2019.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.models.ops.feature_matching import BORDER, PATCH
from jaxsr.models.ops.layers import depth_to_space, space_to_depth
from jaxsr.support.types import AnyArray

NOWHERE = -1  # the reference of a patch outside the photo


class Textures(NamedTuple):
    """The features of all references at one layer, cut into blocks, one for each pixel of the matched layer.

    `blocks` (P, factor² C) holds them row by row; `starts` (R,) is the first block of each reference, `widths` (R,) the
    number of blocks in one of its rows.
    """

    blocks: AnyArray
    starts: AnyArray
    widths: AnyArray


def textures(references: Sequence[jax.Array], *, factor: int = 1) -> Textures:
    """Return the blocks of the features of `references`, (factor h, factor w, C) each, of any sizes."""
    blocks = [space_to_depth(x[None], factor)[0] for x in references]
    counts = [x.shape[0] * x.shape[1] for x in blocks]
    starts = np.cumsum([0, *counts[:-1]]).astype(np.int32)
    flat = [x.reshape(-1, x.shape[-1]) for x in blocks]
    return Textures(jnp.concatenate(flat), starts, np.array([x.shape[1] for x in blocks], np.int32))


def surrounded(places: jax.Array) -> jax.Array:
    """Return the `places` (H-2, W-2, 3) of a photo's matches with two more, marked NOWHERE, on each side (H+2, W+2, 3).

    `swap` takes rows y to y + n + 2 and columns x to x + m + 2 of it for rows y to y + n, columns x to x + m.
    """
    return jnp.pad(places, ((BORDER, BORDER), (BORDER, BORDER), (0, 0)), constant_values=NOWHERE)


def swap(around: jax.Array, source: Textures, *, factor: int = 1) -> jax.Array:
    """Return features (factor H, factor W, C) composed of the matched patches, at the places `around` (H+2, W+2, 3).

    `source` are the references' features at a layer `factor` times as large as the matched one: patches are 3 `factor`
    pixels a side there. Where patches overlap they are averaged: each block is the mean of up to 9 blocks, those
    that the patches around put there.
    """
    height, width = (side - BORDER for side in around.shape[:2])
    there = around[..., 0] != NOWHERE
    reference = jnp.where(there, around[..., 0], 0)
    step = jnp.asarray(source.widths)[reference]
    first = jnp.asarray(source.starts)[reference] + around[..., 1] * step + around[..., 2]
    total, count = jnp.float32(0), jnp.float32(0)
    for down, right in itertools.product(range(PATCH), repeat=2):
        above = (slice(BORDER - down, BORDER - down + height), slice(BORDER - right, BORDER - right + width))
        valid = there[above]
        block = jnp.where(valid, first[above] + down * step[above] + right, 0)
        texture = jnp.asarray(source.blocks).at[block].get(mode="promise_in_bounds")
        total, count = total + texture * valid[..., None], count + valid[..., None]
    return depth_to_space((total / count)[None], factor)[0]
