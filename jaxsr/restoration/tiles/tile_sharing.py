"""The sizes of tiles: photos of a folder share few of them, since each size is a compiled program."""

import collections
import functools
from collections.abc import Sequence

from jaxsr.restoration.tiles.geometry import Size, best_tile, min_tile, spans
from jaxsr.restoration.tiles.limits import CPU_LIMITS, TileLimits


@functools.lru_cache(maxsize=64)
def shared_tiles(
    sizes: tuple[Size, ...], halo: int, largest: int | None, multiple: int, limits: TileLimits = CPU_LIMITS
) -> list[Size]:
    """Return tiles for photos of `sizes` to share, by the work on all photos and the cost of compiling.

    `halo`, the `largest` tile and `multiple` are those of `best_tile`, `limits` those of `best_tiles`. Tiles that serve
    a single photo are left out.
    """
    photos = collections.Counter(sizes)
    best = {size: best_tiles(size, halo, largest, multiple, limits) for size in photos}
    alone = {size: work(tile, size, halo) + limits.compile_cost for size, tile in best.items()}
    candidates = {(height, width) for height, _ in best.values() for _, width in best.values()}
    chosen: list[Size] = []
    cost = sum(alone.values())
    while len(photos) > 1:

        def with_tile(tile: Size, chosen: Sequence[Size] = tuple(chosen)) -> int:
            return limits.compile_cost * (len(chosen) + 1) + sum(
                count * min([alone[size], *(work(x, size, halo) for x in (*chosen, tile) if fits(x, size, halo))])
                for size, count in photos.items()
            )

        tile = min(sorted(candidates), key=with_tile)
        if with_tile(tile) >= cost:
            break
        chosen, cost = [*chosen, tile], with_tile(tile)
    return chosen


def best_tiles(size: Size, halo: int, largest: int | None, multiple: int, limits: TileLimits = CPU_LIMITS) -> Size:
    """Return the height and the width of `best_tile` for a photo of `size`, which is its own where devices hold it."""
    if limits.holds(*size):
        return size
    height, width = (best_tile(side, halo, largest=largest, multiple=multiple) for side in size)
    return height, width


def affordable(size: Size, shared: Sequence[Size], halo: int, best: Size, compile_cost: int) -> Size:
    """Return the one of the `shared` tiles that covers `size` with the least work, or `best` if that is much less."""
    fitting = [tile for tile in shared if fits(tile, size, halo)]
    cheapest = min(fitting, key=lambda tile: work(tile, size, halo), default=best)
    least = work(best, size, halo)
    return cheapest if work(cheapest, size, halo) <= max(1.5 * least, least + compile_cost) else best


def fits(tile: Size, size: Size, halo: int) -> bool:
    """Return whether `tile` can cover a photo of `size`: a side shorter than the photo's needs kept pixels."""
    return all(part == side or min_tile(halo) <= part <= side for part, side in zip(tile, size, strict=True))


def work(tile: Size, size: Size, halo: int) -> int:
    """Return the pixels of all tiles on a photo of `size`."""
    return tile[0] * _count(size[0], tile[0], halo) * tile[1] * _count(size[1], tile[1], halo)


@functools.lru_cache(maxsize=1 << 14)
def _count(side: int, tile: int, halo: int) -> int:
    return len(spans(side, tile, halo))
