"""Which tiles of a photo a network runs on, so that every kept pixel is computed with its full context.

A tile at the photo's edge ends there, so that the network pads there and nowhere else; on its other sides the outermost
`halo` pixels are discarded. Tiles come from a short ladder of sizes: one compiled program serves many photos.
"""

from typing import NamedTuple

from jaxsr.imaging.patches import sub_image_starts
from jaxsr.support.errors import UserError

Size = tuple[int, int]  # height and width
MAX_TILE = 256  # larger tiles gain little: with a halo of 9 pixels, a seventh of the tile is discarded
MAX_ENLARGED_TILE = 384  # for a network on the enlargement, at its input: buffers above 32 MiB are slow to allocate


class Span(NamedTuple):
    """One side of a tile: its `start`, and the photo's pixels `keep_start:keep_stop` that are taken from it."""

    start: int
    keep_start: int
    keep_stop: int


class TilePlacement(NamedTuple):
    """Where a tile lies in a photo: its span of rows and its span of columns."""

    rows: Span
    columns: Span


def spans(size: int, tile: int, halo: int) -> list[Span]:
    """Return spans that cover `size` pixels once; a tile not below `size` covers it alone."""
    starts = sub_image_starts(size, tile, tile - 2 * halo)
    stops = [*(start + tile - halo for start in starts[:-1]), size]
    return [Span(*span) for span in zip(starts, [0, *stops[:-1]], stops, strict=True)]


def best_tile(size: int, halo: int, *, largest: int | None = None, multiple: int = 1) -> int:
    """Return the tile of the ladder that covers `size` pixels with the least work, `size` itself if none fits.

    A larger tile within a tenth of the least work is preferred: large photos of all sizes then share one compiled
    program. `largest` is the largest tile (None: MAX_TILE, or more where the halo is large); `size` and `halo` are
    multiples of `multiple`, and so are the tiles. Raises UserError for a `largest` that is mostly halo.
    """
    if largest is not None:
        check_largest(largest, halo, multiple)
    least = _least_tile(halo, multiple)
    ladder = tile_ladder(largest or max(MAX_TILE, 1 << (least - 1).bit_length()), least, multiple)
    work = {tile: tile * len(spans(size, tile, halo)) for tile in ladder if tile <= size}
    return next((tile for tile, pixels in work.items() if pixels <= 1.1 * min(work.values())), size)


def check_largest(largest: int, halo: int, multiple: int = 1) -> None:
    """Raise UserError for a `largest` tile that is mostly `halo`."""
    if largest < (least := _least_tile(halo, multiple)):
        raise UserError(f"tile={largest} is too small for a network that sees {halo} pixels far; use at least {least}")


def _least_tile(halo: int, multiple: int) -> int:
    return max(min_tile(halo), multiple)


def min_tile(halo: int) -> int:
    """Return the smallest tile that is worth its `halo`."""
    return 3 * halo


def tile_ladder(largest: int, least: int, multiple: int) -> list[int]:
    """Return `largest` times 1, 3/4, 1/2, 3/8, ..., rounded down to `multiple` and not below `least`."""
    ladder = []
    while largest >= least:
        ladder += [tile // multiple * multiple for tile in (largest, largest * 3 // 4)]
        largest //= 2
    return [tile for tile in dict.fromkeys(ladder) if tile >= least]
