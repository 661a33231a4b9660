"""Which windows a network restores a photo in, of few sizes for all photos of a folder: each size is a program."""

import collections
import dataclasses
import functools
from collections.abc import Hashable, Sequence
from typing import Literal

import jax
from absl import logging

from jaxsr.degradations.reductions import BICUBIC_CONTEXT
from jaxsr.models import Model
from jaxsr.restoration.tiles.geometry import LARGEST_ENLARGED, Span, best_window, least_window, spans
from jaxsr.support.errors import UserError

Tile = int | None | Literal["auto"]
Size = tuple[int, int]  # height and width
Box = tuple[Span, Span]  # rows and columns
COMPILING = 1 << 18  # pixels of more work that are sooner done than another program is compiled


@dataclasses.dataclass
class Folder:
    """What photos that are restored one after another share: the windows that programs are compiled for.

    `windows` has them by what else a program depends on, each with the number of its devices. Where the `sizes` (H, W)
    of the photos are known before, the first photo's window is chosen for all.
    """

    sizes: Sequence[Size] = ()
    windows: dict[Hashable, dict[Size, int]] = dataclasses.field(default_factory=dict)

    @property
    def programs(self) -> int:
        """How many there are."""
        return sum(map(len, self.windows.values()))


def context(model: Model) -> int | None:
    """Return how far, in pixels of the small photo, a pixel's result sees; None for the whole photo."""
    radius = model.radius
    if radius is None:
        return None
    if model.spec.pre_upsampled:
        return BICUBIC_CONTEXT - (-radius // model.scale)
    return max(radius, BICUBIC_CONTEXT) if model.channels == 1 else radius


def padded_size(model: Model, size: Size) -> Size:
    """Return `size` (H, W) with the next multiples that the network takes."""
    height, width = (side + -side % model.spec.multiple_of for side in size)
    return height, width


def plan(
    model: Model, size: Size, tile: Tile, folder: Folder, program: Hashable, *, photos: int = 1
) -> tuple[Size, list[Box], int]:
    """Return the window, the boxes of this size that cover a photo of `size`, and how many devices share them.

    They share those of so many `photos` at once.

    `size` has multiples of the network's, `tile` is that of `enlarge`. The window is noted in `folder`, under what else
    the `program` depends on. A photo smaller than a compiled window gets a smaller one: padded, it would differ at its
    edge, since behind the first layer what lies beyond is no longer zero. So tiny photos, which fit no window of the
    ladder, and those of networks that see the whole photo, have programs of their own size. Raises UserError as
    `best_window` does.
    """
    halo, multiple = context(model), model.spec.multiple_of
    if halo is None and isinstance(tile, int):
        halo = _approximate_context(model, size, tile)
    compiled = folder.windows.setdefault(program, {})
    sizes = tuple(padded_size(model, each) for each in folder.sizes)
    if tile is None or halo is None:
        window, sizes, halo = size, (), 0
    else:
        halo += -halo % multiple
        automatic = max(LARGEST_ENLARGED // model.scale, 4 * halo) if model.spec.pre_upsampled else None
        largest = automatic if tile == "auto" else tile
        planned = shared_windows(sizes, halo, largest, multiple)
        window = _affordable(size, (*planned, *compiled), halo, best_windows(size, halo, largest, multiple))
    alike = [each for each in (size, *sizes) if _fits(window, each, halo)]
    most = photos * max(_work(window, each, halo) for each in alike) // (window[0] * window[1])
    count = compiled.setdefault(window, min(most, jax.local_device_count()))
    rows, columns = (spans(side, part, halo) for side, part in zip(size, window, strict=True))
    return window, [(row, column) for row in rows for column in columns], count


@functools.lru_cache(maxsize=64)
def shared_windows(sizes: tuple[Size, ...], halo: int, largest: int | None, multiple: int) -> list[Size]:
    """Return windows that photos of `sizes` had better share, by the work on all and what compiling costs.

    `halo`, the `largest` window and `multiple` are those of `best_window`. Windows of a single photo are left out.
    """
    photos = collections.Counter(sizes)
    best = {size: best_windows(size, halo, largest, multiple) for size in photos}
    alone = {size: _work(window, size, halo) + COMPILING for size, window in best.items()}
    candidates = {(height, width) for height, _ in best.values() for _, width in best.values()}
    chosen: list[Size] = []
    cost = sum(alone.values())
    while len(photos) > 1:

        def with_window(window: Size, chosen: Sequence[Size] = tuple(chosen)) -> int:
            return COMPILING * (len(chosen) + 1) + sum(
                count * min([alone[size], *(_work(x, size, halo) for x in (*chosen, window) if _fits(x, size, halo))])
                for size, count in photos.items()
            )

        found = min(sorted(candidates), key=with_window)
        if with_window(found) >= cost:
            break
        chosen, cost = [*chosen, found], with_window(found)
    return chosen


def best_windows(size: Size, halo: int, largest: int | None, multiple: int) -> Size:
    """Return the height and the width of `best_window` for a photo of `size`."""
    height, width = (best_window(side, halo, tile=largest, multiple=multiple) for side in size)
    return height, width


def _affordable(size: Size, shared: Sequence[Size], halo: int, best: Size) -> Size:
    """Return the one of the `shared` windows that covers `size` with the least work, or `best` if that is much less."""
    fitting = [window for window in shared if _fits(window, size, halo)]
    cheapest = min(fitting, key=lambda window: _work(window, size, halo), default=best)
    least = _work(best, size, halo)
    return cheapest if _work(cheapest, size, halo) <= max(1.5 * least, least + COMPILING) else best


def _fits(window: Size, size: Size, halo: int) -> bool:
    """Return whether a photo of `size` can be covered: a side that is not the photo's needs an inside."""
    return all(part == side or least_window(halo) <= part <= side for part, side in zip(window, size, strict=True))


def _work(window: Size, size: Size, halo: int) -> int:
    """Return the pixels of all windows on a photo of `size`."""
    return window[0] * _count(size[0], window[0], halo) * window[1] * _count(size[1], window[1], halo)


@functools.lru_cache(maxsize=1 << 14)
def _count(side: int, window: int, halo: int) -> int:
    return len(spans(side, window, halo))


def _approximate_context(model: Model, size: Size, tile: int) -> int | None:
    """Return the context of tiles that normalize by themselves, with a warning, or None where one holds the photo.

    Raises UserError for a network that tiles make no sense for.
    """
    if model.spec.tile_context is None:
        raise UserError(f"tile={tile}: {model.name} sees the whole photo at every pixel; leave the tile out")
    if max(size) <= tile:
        return None
    remedy = "leave the tile out where memory allows"
    logging.warning(
        "tile=%d: %s normalizes by the whole photo, but its tiles by themselves; %s", tile, model.name, remedy
    )
    return model.spec.tile_context(model.module)
