"""A network on a whole photo, tile by tile, in the memory of the photo's own bytes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from jaxsr.devices.meshes import place_replicated, tile_mesh
from jaxsr.models import Model
from jaxsr.restoration.tiles.placement import Box, Folder, Size, Tile, padded_size, plan
from jaxsr.restoration.tiles.program import Found, Recipe, enlarge_windows
from jaxsr.support.errors import UserError

Places = list[tuple[int, Box]]  # which of the photos, and where in it
Result = tuple[np.ndarray, Found]
Needed = Callable[[int, int, int, int], Any]  # further inputs for a window: top, left, height, width


def enlarge(model: Model, pixels: np.ndarray, **options: Any) -> np.ndarray:
    """Return `pixels` (H, W, 1 or 3) restored by `model`: the first result of `enlarge_and_find`, with its options."""
    return enlarge_and_find(model, pixels, **options)[0]


def enlarge_and_find(model: Model, pixels: np.ndarray, **options: Any) -> Result:
    """Return what `enlarge_each` does for the photo `pixels` (H, W, 1 or 3), with its options, or raise its error."""
    return single(enlarge_each(model, [pixels], **options))


def enlarge_each(
    model: Model,
    photos: Sequence[np.ndarray],
    *,
    tile: Tile = "auto",
    quantize: bool = True,
    ensemble: bool = False,
    all_rounds: bool = False,
    needed: Needed | None = None,
    folder: Folder | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result | UserError]:
    """Return each of `photos` (H, W, 1 or 3), all alike, restored by `model`: (scale H, scale W, 1 or 3), same dtype.

    Beside it, what the network found out about the photo, {name: array}, such as DAN's `kernels` (R, k, k) after each
    round, and with `all_rounds` its `images` (R, scale H, scale W, C), float32, not clipped; {} for most. A UserError
    stands for a photo whose result is not finite.

    Photos are uint8, uint16, or float in [0, 1]. With `quantize` the result is clipped and, for integers, rounded
    half up; without, it is float32, neither clipped nor rounded. A luma network restores Y of a colour photo, Cb and
    Cr are enlarged by bicubic; a grey photo is its own luma, and an RGB network gets it three times.
    `tile` is the largest window in pixels, "auto", or None for the whole photo at once; it does not change the
    result, but for a network that normalizes by the whole photo, of which a warning tells. All devices share the
    windows, of several photos where one has few: see `at_once`. `ensemble` averages over the 8 flips and quarter turns.
    `needed` gives the further input of a window to a network of `spec.needs`, without the batch's axis. Calls for the
    photos of a `folder` share it: they take each other's windows where that costs little, and compile no more.
    `progress(done, total)` is called per tile. Raises UserError for photos under the network's minimum.
    """
    height, width, channels = photos[0].shape
    _check_size(model, height, width)
    dispatch, groups = _prepare(model, photos, tile, quantize, ensemble, all_rounds, needed, folder)
    shape, dtype = (model.scale * height, model.scale * width, channels), photos[0].dtype if quantize else np.float32
    outputs: list[Result | UserError] = [(np.empty(shape, dtype), {}) for _ in photos]
    done, total = 0, sum(map(len, groups))
    for group, results, finite, more in _one_late(map(dispatch, groups)):
        results, finite, more = jax.tree.map(np.asarray, (results, finite, more))
        for i, (place, box) in enumerate(group):
            output = outputs[place]
            if isinstance(output, tuple) and finite[i]:
                _paste(output[0], results[i], box, model.scale)
                output[1].update({name: x[i] for name, x in more.items()})  # of networks that take the photo whole
            elif isinstance(output, tuple):
                outputs[place] = UserError(_non_finite(model, box))
            done += 1
            if progress is not None:
                progress(done, total)
        if not any(isinstance(output, tuple) for output in outputs):
            break
    return outputs


def single(results: Sequence[Result | UserError]) -> Result:
    """Return the only one of `results`, or raise it."""
    (result,) = results
    if isinstance(result, UserError):
        raise result
    return result


def at_once(model: Model, size: Size, tile: Tile, folder: Folder) -> int:
    """Return how many photos of `size` (H, W), of which one alone would leave devices idle, these restore at once."""
    (height, _), _, count = plan(model, padded_size(model, size), tile, Folder(folder.sizes), None)
    return jax.local_device_count() // _mesh(model, count, height).size


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
    dispatch, groups = _prepare(model, [pixels], tile, quantize, ensemble, False, folder=folder)
    if folder.programs > before:
        jax.block_until_ready(dispatch(groups[0])[1])


def _prepare(
    model: Model,
    photos: Sequence[np.ndarray],
    tile: Tile,
    quantize: bool,
    ensemble: bool,
    all_rounds: bool,
    needed: Needed | None = None,
    folder: Folder | None = None,
) -> tuple[Callable[[Places], tuple[Places, jax.Array, jax.Array, Found]], list[Places]]:
    """Return the places in groups, one for each device, and what starts the work on a group.

    That is a function of a group that returns it with the results, whether they are finite, and what was found, one
    more than places for each device left without.
    """
    model = model.folded()
    recipe = Recipe(model.forward_spec(*(["all_rounds"] if all_rounds else [])), quantize, ensemble)
    size = padded_size(model, (photos[0].shape[0], photos[0].shape[1]))
    photos = [_padded(pixels, size) for pixels in photos]
    folder = Folder() if folder is None else folder
    program = (recipe, photos[0].dtype.str, photos[0].shape[2])
    (height, width), boxes, count = plan(model, size, tile, folder, program, photos=len(photos))
    mesh = _mesh(model, count, height)
    variables = place_replicated(model.variables, mesh)

    def dispatch(group: Places) -> tuple[Places, jax.Array, jax.Array, Found]:
        filled = group + group[-1:] * (count - len(group))
        windows = [
            photos[place][row.start : row.start + height, column.start : column.start + width]
            for place, (row, column) in filled
        ]
        more = ()
        if needed is not None:
            inputs = [needed(row.start, column.start, height, width) for _, (row, column) in filled]
            more = (jax.tree.map(lambda *parts: np.stack(parts), *inputs),)
        return group, *enlarge_windows(recipe, mesh, variables, np.stack(windows), more)

    places = [(place, box) for place in range(len(photos)) for box in boxes]
    return dispatch, [places[i : i + count] for i in range(0, len(places), count)]


def _mesh(model: Model, count: int, height: int) -> Mesh:
    """Return the mesh of `count` devices for windows of `height`; rows are shared where there can be no tiles."""
    return tile_mesh(count, height if model.radius is None else 0)  # tiles are shared, of all but tiny photos


def _padded(pixels: np.ndarray, size: Size) -> np.ndarray:
    """Return `pixels` (H, W, C) reflected at the bottom and right to `size`."""
    rest = [whole - side for whole, side in zip(size, pixels.shape, strict=False)]
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
