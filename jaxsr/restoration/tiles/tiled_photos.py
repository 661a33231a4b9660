"""A network on whole photos, tile by tile, in little more memory than the photos and results take."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import jax
import numpy as np
from jax.errors import JaxRuntimeError

from jaxsr.devices.meshes import on_accelerator
from jaxsr.models import Model
from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.restoration.tiles.geometry import Size
from jaxsr.restoration.tiles.limits import MAX_PHOTOS
from jaxsr.restoration.tiles.placement import Tile, TileCache, padded_size, plan
from jaxsr.restoration.tiles.tiled_run import ExtraInputs, Result, TiledRun, mesh_for
from jaxsr.support.errors import UserError
from jaxsr.support.types import Progress

T = TypeVar("T")
EXHAUSTED = "RESOURCE_EXHAUSTED"  # XLA's word for memory that does not suffice


def restore_tiled(
    model: Model,
    pixels: np.ndarray,
    options: RestoreOptions = DEFAULT_OPTIONS,
    *,
    extra_inputs: ExtraInputs | None = None,
    cache: TileCache | None = None,
    progress: Progress | None = None,
) -> Result:
    """Return what `apply_tiled` does for the photo `pixels` (H, W, 1 or 3), or raise its error."""
    return single(apply_tiled(model, [pixels], options, extra_inputs=extra_inputs, cache=cache, progress=progress))


def apply_tiled(
    model: Model,
    photos: Sequence[np.ndarray],
    options: RestoreOptions = DEFAULT_OPTIONS,
    *,
    extra_inputs: ExtraInputs | None = None,
    cache: TileCache | None = None,
    progress: Progress | None = None,
) -> list[Result | UserError]:
    """Return each of `photos` restored by `model`, and the extras.

    Args:
        model: a luma network restores Y of a colour photo, and Cb and Cr are enlarged by bicubic; a grey photo is its
            own luma. An RGB network gets a grey photo three times.
        photos: arrays (H, W, 1 or 3) of one shape and dtype: uint8, uint16, or floats in [0, 1]. All devices share
            their tiles.
        options: tile, ensemble, quantize and all_rounds; the others are not used here.
        extra_inputs: gives the network's further inputs for a tile, without the batch axis.
        cache: photos that share it share tiles where that costs little, and no more programs are compiled.
        progress: `progress(done, total)` is called for each tile.

    Returns:
        For each photo a UserError where its result is not finite, or else the image (scale H, scale W, 1 or 3), as
        `options.quantize` says, and the extras, {} for most networks. DAN has `codes` (R, L), DANv2 also `kernels`
        (R, k, k), after each round, and with `all_rounds` both have `images` (R, scale H, scale W, C), not clipped.

    Raises:
        UserError: for photos smaller than the network takes, and a tile that is too small for it.
    """
    cache = TileCache() if cache is None else cache
    try:
        return _outputs(TiledRun(model, photos, options, extra_inputs, cache), progress)
    except JaxRuntimeError as error:
        if not reduce_tiles(error, cache):
            raise
    return apply_tiled(model, photos, options, extra_inputs=extra_inputs, cache=cache, progress=progress)


def reduce_tiles(error: Exception, cache: TileCache) -> bool:
    """Choose smaller tiles in `cache` if `error` says that an accelerator's memory did not suffice; return whether."""
    return on_accelerator() and EXHAUSTED in str(error) and cache.reduce()


def _outputs(run: TiledRun, progress: Progress | None) -> list[Result | UserError]:
    """Return the outputs of `run`, after all of its tiles."""
    run.keep_on_device()
    done, total = 0, sum(map(len, run.groups))
    report = progress or (lambda done, total: None)
    for group, results in pipelined(map(run.dispatch, run.groups)):
        run.collect(group, results)
        for _ in group:
            done += 1
            report(done, total)
        if all(isinstance(output, UserError) for output in run.outputs):
            break
    run.download()
    return run.outputs


def single(results: Sequence[Result | UserError]) -> Result:
    """Return the only one of `results`, or raise it."""
    (result,) = results
    if isinstance(result, UserError):
        raise result
    return result


def photos_per_batch(model: Model, size: Size, tile: Tile, cache: TileCache) -> int:
    """Return how many photos of `size` (H, W) are restored at once, where one alone would leave devices idle."""
    size = padded_size(model, size)
    limits = cache.limits(model.forward_spec(), ensemble=False)
    chosen = plan(model, size, tile, TileCache(cache.sizes), None, limits=limits)
    each = min(limits.tiles_at_once(*size), MAX_PHOTOS)
    return each * (jax.local_device_count() // mesh_for(model, chosen.devices, chosen.tile[0]).size)


def warm_up_tiles(model: Model, pixels: np.ndarray, options: RestoreOptions, cache: TileCache) -> None:
    """Compile what `apply_tiled` runs on a photo of this size, and run it once, so that a timing leaves that out.

    What another photo of the `cache` has compiled is left alone.
    """
    before = cache.programs
    run = TiledRun(model, [pixels], options, None, cache)
    run.keep_on_device()
    if cache.programs > before:
        jax.block_until_ready(run.dispatch(run.groups[0])[1])


def pipelined(items: Iterable[T]) -> Iterator[T]:
    """Yield `items` one late, so that the next tiles are being computed while these are copied."""
    items = iter(items)
    held = next(items)
    for item in items:
        yield held
        held = item
    yield held
