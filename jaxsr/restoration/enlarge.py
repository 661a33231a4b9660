"""A network on a whole photo, tile by tile, in the memory of the photo's own bytes."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from jaxsr.models import Model
from jaxsr.restoration.program import Found, Recipe, enlarge_windows, mesh_for
from jaxsr.restoration.windows import Box, Folder, Tile, plan
from jaxsr.support.errors import UserError

Boxes = list[Box]
Needed = Callable[[int, int, int, int], Any]  # further inputs for a window: top, left, height, width


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
    folder: Folder | None = None,
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
    network of `spec.needs`, without the batch's axis. Calls for the photos of a `folder` share it: they take each
    other's windows where that costs little, and compile no more.
    `progress(done, total)` is called per tile. Raises UserError for a photo under the network's minimum and for
    non-finite results.
    """
    height, width, channels = pixels.shape
    _check_size(model, height, width)
    dispatch, groups = _prepare(model, pixels, tile, quantize, ensemble, all_rounds, needed, folder)
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
    model: Model,
    pixels: np.ndarray,
    *,
    tile: Tile = "auto",
    quantize: bool = True,
    ensemble: bool = False,
    folder: Folder | None = None,
) -> None:
    """Compile what `enlarge` runs on a photo of this size, and run it once, so that a timing leaves that out.

    What another photo of the `folder` has compiled is left alone.
    """
    folder = Folder() if folder is None else folder
    before = folder.programs
    dispatch, groups = _prepare(model, pixels, tile, quantize, ensemble, False, folder=folder)
    if folder.programs > before:
        jax.block_until_ready(dispatch(groups[0])[1])


def _prepare(
    model: Model,
    pixels: np.ndarray,
    tile: Tile,
    quantize: bool,
    ensemble: bool,
    all_rounds: bool,
    needed: Needed | None = None,
    folder: Folder | None = None,
) -> tuple[Callable[[Boxes], tuple[Boxes, jax.Array, jax.Array, Found]], list[Boxes]]:
    """Return the boxes in groups, one for each device, and what starts the work on a group.

    That is a function of a group that returns it with the results, whether they are finite, and what was found, one
    more than boxes for each device left without.
    """
    spec, model = model.spec, model.folded()
    arguments = ("all_rounds",) if all_rounds else ()
    recipe = Recipe(model.module, model.scale, spec.pre_upsampled, spec.value_range, quantize, ensemble, arguments)
    pixels = _padded(pixels, spec.multiple_of)
    folder = Folder() if folder is None else folder
    program = (recipe, pixels.dtype.str, pixels.shape[2])
    (height, width), boxes, count = plan(model, pixels.shape[:2], tile, folder, program)
    mesh = mesh_for(count, height if model.radius is None else 0)  # else tiles are shared, of all but tiny photos
    variables = jax.device_put(model.variables, NamedSharding(mesh, PartitionSpec()))

    def dispatch(group: Boxes) -> tuple[Boxes, jax.Array, jax.Array, Found]:
        filled = group + group[-1:] * (count - len(group))
        windows = [
            pixels[row.start : row.start + height, column.start : column.start + width] for row, column in filled
        ]
        more = ()
        if needed is not None:
            inputs = [needed(row.start, column.start, height, width) for row, column in filled]
            more = (jax.tree.map(lambda *parts: np.stack(parts), *inputs),)
        return group, *enlarge_windows(recipe, mesh, variables, np.stack(windows), more)

    return dispatch, [boxes[i : i + count] for i in range(0, len(boxes), count)]


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
