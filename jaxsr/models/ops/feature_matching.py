"""The 3x3 patch of a reference's features most similar to each patch of a photo's: SRNTT's matching, equation 2.

Zhang, Wang, Lin, Qi, "Image Super-Resolution by Neural Texture Transfer", CVPR 2019.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.imaging.patches import sub_image_starts
from jaxsr.support.errors import UserError

PATCH = 3
BORDER = PATCH - 1  # rows at the end of features in which no patch begins
EPSILON = 1e-5  # added to the norms, so that flat black patches have a cosine of 0
LARGEST_BLOCK = 16  # rows at once: with more, caches overflow, and the two rows that blocks share cost little already
TABLES = 8  # in memory for a block of rows: products, their sums, the best so far and its row, with those before


class Matches(NamedTuple):
    """For each patch of a photo's features (H, W, C) the most similar one of all references.

    `places` (H-2, W-2, 3) int32 are the matched positions: (reference, row, column) of the patch's upper left pixel;
    `similarity` (H-2, W-2) is the cosine similarity.
    """

    places: jax.Array
    similarity: jax.Array


def match(photo: jax.Array, reference: jax.Array, *, rows: int = LARGEST_BLOCK) -> Matches:
    """Return the most similar patch of `reference` (h, w, C) for each of `photo` (H, W, C), both features; exact.

    Of equally similar ones the first is taken, row by row. `rows` are matched at once: memory grows with them, the
    result is the same. The cosine of two patches is the sum of the products of their pixels, which lie on a diagonal of
    the table of all products: a ninth of the arithmetic of whole patches. That table exists for `rows` rows of the
    photo and one of the reference at a time. Raises UserError for features under 3x3 or of different depth.
    """
    _check_sizes(photo, reference)
    count = photo.shape[0] - BORDER
    rows = min(rows, count)
    starts = np.array(sub_image_starts(count, rows, rows))
    blocks = photo[starts.reshape(-1, 1) + np.arange(rows + BORDER).reshape(1, -1)]
    gains = 1 / (patch_norms(reference) + EPSILON)
    index, similarity = jax.lax.map(lambda block: _match_block(block, reference, gains), blocks)
    index, similarity = (_joined(x, count) for x in (index, similarity))
    columns = reference.shape[1] - BORDER
    places = jnp.stack([jnp.zeros_like(index), index // columns, index % columns], axis=-1)
    return Matches(places, similarity / (patch_norms(photo) + EPSILON))


def _check_sizes(photo: jax.Array, reference: jax.Array) -> None:
    for name, x in {"photo": photo, "reference": reference}.items():
        if x.ndim != 3 or min(x.shape[:2]) < PATCH:
            raise UserError(f"matching takes features (H, W, C) of 3x3 pixels or more; the {name} has {x.shape}")
    if photo.shape[2] != reference.shape[2]:
        raise UserError(f"matching takes features of one depth; got photo {photo.shape}, reference {reference.shape}")


def patch_norms(features: jax.Array) -> jax.Array:
    """Return the norm (H-2, W-2) of each 3x3 patch of `features` (H, W, C)."""
    squares = jnp.square(features).sum(axis=-1)
    squares = squares[:-2] + squares[1:-1] + squares[2:]
    return jnp.sqrt(squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:])


def _match_block(block: jax.Array, reference: jax.Array, gains: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the index and the product, times its gain, of the best patch for each of `block` (R, W, C).

    The scan is over rows of the reference. For each column of its patches the best row so far is kept, so that all
    but the last step compares element by element.
    """
    columns = gains.shape[1]

    def step(carry: tuple[jax.Array, ...], row: tuple[jax.Array, ...]) -> tuple[tuple[jax.Array, ...], None]:
        upper, middle, best, best_row = carry
        pixels, gain, number = row
        lower = _row_products(block, pixels)
        score = (upper + lower[2:]) * gain.reshape(1, 1, -1)
        better = score > best
        best, best_row = jnp.where(better, score, best), jnp.where(better, number, best_row)
        return (middle[:-2] + lower[1:-1], lower, best, best_row), None

    first, second = _row_products(block, reference[0]), _row_products(block, reference[1])
    shape = (block.shape[0] - BORDER, block.shape[1] - BORDER, columns)
    start = (first[:-2] + second[1:-1], second, jnp.full(shape, -jnp.inf), jnp.zeros(shape, jnp.int32))
    rows = (reference[BORDER:], gains, jnp.arange(len(gains)))
    (*_, best, best_row), _ = jax.lax.scan(step, start, rows)
    largest = best.max(axis=-1)
    index = best_row * columns + jnp.arange(columns).reshape(1, 1, -1)
    ties = jnp.where(best == largest[..., None], index, jnp.iinfo(jnp.int32).max)
    return ties.min(axis=-1), largest


def _row_products(block: jax.Array, pixels: jax.Array) -> jax.Array:
    """Return the products (R, W-2, w-2) of each three neighbours of `block` (R, W, C) with three of `pixels` (w, C)."""
    table = jnp.einsum("ypc,qc->ypq", block, pixels, precision=jax.lax.Precision.HIGHEST)
    return table[:, :-2, :-2] + table[:, 1:-1, 1:-1] + table[:, 2:, 2:]


def _joined(blocks: jax.Array, count: int) -> jax.Array:
    """Return the `count` rows of `blocks` (K, R, ...); the last block reaches back to fill its rows."""
    rows = blocks.shape[1]
    rest = count - (len(blocks) - 1) * rows
    return jnp.concatenate([blocks[:-1].reshape(-1, *blocks.shape[2:]), blocks[-1, rows - rest :]])


def best_of(matches: Sequence[Matches]) -> Matches:
    """Return the most similar of several references' `matches` of one photo; of equal ones the first is taken.

    The reference's number in `matches` becomes the first part of its places.
    """
    best = matches[0]
    for number, other in enumerate(matches[1:], start=1):
        better = other.similarity > best.similarity
        places = other.places.at[..., 0].set(number)
        best = Matches(
            jnp.where(better[..., None], places, best.places), jnp.where(better, other.similarity, best.similarity)
        )
    return best


def block_rows(width: int, reference_width: int, *, memory: float) -> int:
    """Return how many rows `match` should take at once where `memory` bytes are free on its device, 1 or more.

    It uses a sixteenth of the memory. Both widths are those of the features.
    """
    row = TABLES * 4 * width * reference_width
    return int(max(1, min(LARGEST_BLOCK, memory / 16 / row - BORDER)))
