"""Which windows of a photo a network runs on, so that every kept pixel is computed with its full context.

A window at the photo's edge is aligned with it, so that padding acts there and nowhere else; on inner sides the
outermost `halo` pixels are discarded. Windows come from a short ladder of sizes: a compiled program serves all photos.
"""

from typing import NamedTuple

from jaxsr.imaging.patches import sub_image_starts
from jaxsr.support.errors import UserError

LARGEST = 256  # larger windows gain little: the discarded border is already a seventh of a window at 9 pixels
LARGEST_ENLARGED = 384  # for a network on the enlargement, at its input: buffers above 32 MiB are slow to come by


class Span(NamedTuple):
    """A window's `start` along one dimension, and the photo's pixels `keep_start:keep_stop` taken from it."""

    start: int
    keep_start: int
    keep_stop: int


def spans(size: int, window: int, halo: int) -> list[Span]:
    """Return spans that cover `size` pixels once; a window not below `size` covers it alone."""
    starts = sub_image_starts(size, window, window - 2 * halo)
    stops = [*(start + window - halo for start in starts[:-1]), size]
    return [Span(*span) for span in zip(starts, [0, *stops[:-1]], stops, strict=True)]


def best_window(size: int, halo: int, *, tile: int | None = None, multiple: int = 1) -> int:
    """Return the window of the ladder that covers `size` pixels with the least work, `size` itself if none fits.

    A larger window within a tenth of the least wins: large photos of all sizes then share one compiled program.
    `tile` is the largest window (None: LARGEST, or more for a network that sees far); `size` and `halo` are
    multiples of `multiple`, and so are the windows. Raises UserError for a tile that is mostly halo.
    """
    least = max(least_window(halo), multiple)
    if tile is not None and tile < least:
        raise UserError(f"tile={tile} is too small for a network that sees {halo} pixels far; use at least {least}")
    ladder = window_ladder(tile or max(LARGEST, 1 << (least - 1).bit_length()), least, multiple)
    work = {window: window * len(spans(size, window, halo)) for window in ladder if window <= size}
    return next((window for window, pixels in work.items() if pixels <= 1.1 * min(work.values())), size)


def least_window(halo: int) -> int:
    """Return the smallest window that is worth its `halo`."""
    return 3 * halo


def window_ladder(largest: int, least: int, multiple: int) -> list[int]:
    """Return `largest` times 1, 3/4, 1/2, 3/8, ..., rounded down to `multiple` and not below `least`."""
    ladder = []
    while largest >= least:
        ladder += [window // multiple * multiple for window in (largest, largest * 3 // 4)]
        largest //= 2
    return [window for window in dict.fromkeys(ladder) if window >= least]
