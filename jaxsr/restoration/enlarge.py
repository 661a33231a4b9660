"""A network on a whole photo, tile by tile, in the memory of the photo's own bytes."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import jax
import numpy as np
from absl import logging
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxsr.imaging.degradation import BICUBIC_CONTEXT
from jaxsr.models import Model
from jaxsr.restoration.program import Found, Recipe, enlarge_windows
from jaxsr.restoration.tiling import LARGEST_ENLARGED, Span, best_window, spans
from jaxsr.support.errors import UserError

Tile = int | None | Literal["auto"]
Box = tuple[Span, Span]  # rows and columns
Boxes = list[Box]
Needed = Callable[[int, int, int, int], Any]  # further inputs for a window: top, left, height, width
Used = dict[tuple[int, int], int]  # windows (height, width) that a program is compiled for, and by how many devices
COMPILING = 1 << 18  # pixels of more work that are sooner done than another program is compiled


def enlarge(model: Model, pixels: np.ndarray, **options: Any) -> np.ndarray:
    """Return `pixels` (H, W, 1 or 3) restored by `model`: the first result of `enlarge_and_find`, with its options."""
    return enlarge_and_find(model, pixels, **options)[0]


def enlarge_and_find(
    model: Model,
    pixels: np.ndarray,
    *,
    tile: Tile = "auto",
    quantize: bool = True,
    ensemble: bool = False,
    all_rounds: bool = False,
    needed: Needed | None = None,
    used: Used | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, Found]:
    """Return `pixels` (H, W, 1 or 3) restored by `model`: (scale H, scale W, 1 or 3) of the same dtype.

    Beside it, what the network found out about the photo, {name: array}, such as DAN's `kernels` (R, k, k) after each
    round, and with `all_rounds` its `images` (R, scale H, scale W, C), float32, not clipped; {} for most.

    `pixels` is uint8, uint16, or float in [0, 1]. With `quantize` the result is clipped and, for integers, rounded
    half up; without, it is float32, neither clipped nor rounded. A luma network restores Y of a colour photo, Cb and
    Cr are enlarged by bicubic; a grey photo is its own luma, and an RGB network gets it three times.
    `tile` is the largest window in pixels, "auto", or None for the whole photo at once; it does not change the
    result, but for a network that normalizes by the whole photo, of which a warning tells. All devices share the
    windows. `ensemble` averages over the 8 flips and quarter turns. `needed` gives the further input of a window to a
    network of `spec.needs`, without the batch's axis. Calls for the photos of a folder share a dictionary `used`, empty
    at first: they take the windows of earlier ones where that costs little, and compile no more.
    `progress(done, total)` is called per tile. Raises UserError for a photo under the network's minimum and for
    non-finite results.
    """
    height, width, channels = pixels.shape
    _check_size(model, height, width)
    dispatch, groups = _prepare(model, pixels, tile, quantize, ensemble, all_rounds, needed, used)
    output = np.empty((model.scale * height, model.scale * width, channels), pixels.dtype if quantize else np.float32)
    done, total, found = 0, sum(map(len, groups)), {}
    for group, results, finite, more in _one_late(map(dispatch, groups)):
        found = {name: np.asarray(x[0]) for name, x in more.items()}  # of a network that takes the photo whole
        for box, result, good in zip(group, np.asarray(results), np.asarray(finite), strict=False):
            if not good:
                raise UserError(_non_finite(model, box))
            _paste(output, result, box, model.scale)
            done += 1
            if progress is not None:
                progress(done, total)
    return output, found


def warm_up(
    model: Model, pixels: np.ndarray, *, tile: Tile = "auto", quantize: bool = True, ensemble: bool = False
) -> None:
    """Compile what `enlarge` runs on a photo of this size, and run it once, so that a timing leaves that out."""
    dispatch, groups = _prepare(model, pixels, tile, quantize, ensemble, False)
    jax.block_until_ready(dispatch(groups[0])[1])


def _prepare(
    model: Model,
    pixels: np.ndarray,
    tile: Tile,
    quantize: bool,
    ensemble: bool,
    all_rounds: bool,
    needed: Needed | None = None,
    used: Used | None = None,
) -> tuple[Callable[[Boxes], tuple[Boxes, jax.Array, jax.Array, Found]], list[Boxes]]:
    """Return the boxes in groups, one for each device, and what starts the work on a group.

    That is a function of a group that returns it with the results, whether they are finite, and what was found, one
    more than boxes for each device left without.
    """
    spec, model = model.spec, model.folded()
    arguments = ("all_rounds",) if all_rounds else ()
    recipe = Recipe(model.module, model.scale, spec.pre_upsampled, spec.value_range, quantize, ensemble, arguments)
    pixels = _padded(pixels, spec.multiple_of)
    used = {} if used is None else used
    (height, width), boxes = _plan(model, pixels.shape[:2], tile, used)
    count = used.setdefault((height, width), min(len(boxes), jax.local_device_count()))
    mesh = Mesh(np.array(jax.local_devices()[:count]), ("windows",))
    variables = jax.device_put(model.variables, NamedSharding(mesh, PartitionSpec()))

    def dispatch(group: Boxes) -> tuple[Boxes, jax.Array, jax.Array, Found]:
        filled = group + group[-1:] * (mesh.size - len(group))
        windows = [
            pixels[row.start : row.start + height, column.start : column.start + width] for row, column in filled
        ]
        more = ()
        if needed is not None:
            inputs = [needed(row.start, column.start, height, width) for row, column in filled]
            more = (jax.tree.map(lambda *parts: np.stack(parts), *inputs),)
        return group, *enlarge_windows(recipe, mesh, variables, np.stack(windows), more)

    return dispatch, [boxes[i : i + mesh.size] for i in range(0, len(boxes), mesh.size)]


def context(model: Model) -> int | None:
    """Return how far, in pixels of the small photo, a pixel's result sees; None for the whole photo."""
    radius = model.radius
    if radius is None:
        return None
    if model.spec.pre_upsampled:
        return BICUBIC_CONTEXT - (-radius // model.scale)
    return max(radius, BICUBIC_CONTEXT) if model.channels == 1 else radius


def _plan(model: Model, size: tuple[int, ...], tile: Tile, used: Used) -> tuple[tuple[int, int], list[Box]]:
    """Return the window's height and width, and the boxes that cover a photo of `size`."""
    halo, multiple = context(model), model.spec.multiple_of
    if halo is None and isinstance(tile, int):
        halo = _approximate_context(model, size, tile)
    if tile is None or halo is None:
        windows, halo = (size[0], size[1]), 0
    else:
        halo = -(-halo // multiple) * multiple
        automatic = max(LARGEST_ENLARGED // model.scale, 4 * halo) if model.spec.pre_upsampled else None
        largest = automatic if tile == "auto" else tile
        best = [best_window(side, halo, tile=largest, multiple=multiple) for side in size]
        windows = _affordable(size, halo, (best[0], best[1]), used)
    rows, columns = (spans(side, window, halo) for side, window in zip(size, windows, strict=True))
    return windows, [(row, column) for row in rows for column in columns]


def _affordable(size: tuple[int, ...], halo: int, best: tuple[int, int], used: Used) -> tuple[int, int]:
    """Return the one of the windows `used` that covers `size` with the least work, or `best` if that is much less."""

    def work(windows: tuple[int, int]) -> int:
        return math.prod(window * len(spans(side, window, halo)) for side, window in zip(size, windows, strict=True))

    fitting = [windows for windows in used if windows[0] <= size[0] and windows[1] <= size[1]]
    cheapest = min(fitting, key=work, default=best)
    return cheapest if work(cheapest) <= max(1.5 * work(best), work(best) + COMPILING) else best


def _approximate_context(model: Model, size: tuple[int, ...], tile: int) -> int | None:
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


def _padded(pixels: np.ndarray, multiple: int) -> np.ndarray:
    """Return `pixels` (H, W, C) reflected at the bottom and right to multiples of `multiple`."""
    rest = [-side % multiple for side in pixels.shape[:2]]
    return np.pad(pixels, [(0, rest[0]), (0, rest[1]), (0, 0)], mode="reflect") if any(rest) else pixels


def _one_late(items: Iterable) -> Iterator:
    """Yield `items` one late, so that the next windows are being computed while these are copied."""
    items = iter(items)
    held = next(items)
    for item in items:
        yield held
        held = item
    yield held


def _paste(output: np.ndarray, result: np.ndarray, box: Box, scale: int) -> None:
    """Write what is kept of a window's `result` into `output`, which ends before the photo's padding."""
    target = output[tuple(slice(scale * span.keep_start, scale * span.keep_stop) for span in box)]
    top, left = (scale * (span.keep_start - span.start) for span in box)
    target[...] = result[top : top + target.shape[0], left : left + target.shape[1]]


def _check_size(model: Model, height: int, width: int) -> None:
    minimum = -(-model.spec.minimum // (model.scale if model.spec.pre_upsampled else 1))
    if min(height, width) < minimum:
        raise UserError(
            f"a photo of {width}x{height} pixels is too small for {model.name}, which takes at least "
            f"{minimum}x{minimum}; use a larger photo or another model"
        )


def _non_finite(model: Model, box: Box) -> str:
    rows, columns = (f"{span.keep_start} to {span.keep_stop - 1}" for span in box)
    return (
        f"{model.name} gave non-finite values in rows {rows}, columns {columns} of the photo; "
        "its weights are broken or their training diverged: use another weight file"
    )
