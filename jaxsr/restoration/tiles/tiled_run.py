"""A network on whole photos, tile by tile, in little more memory than the photos and results take."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import jax
import numpy as np
from jax.errors import JaxRuntimeError
from jax.sharding import Mesh

from jaxsr.devices.meshes import on_accelerator, tile_mesh
from jaxsr.engines.engine_choice import XLA, engine_for
from jaxsr.engines.tracing import smallest_side
from jaxsr.models import Model
from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.restoration.tiles.engine_tiles import Results, run_tiles_by
from jaxsr.restoration.tiles.geometry import TilePlacement
from jaxsr.restoration.tiles.limits import CPU_LIMITS, MAX_PHOTOS
from jaxsr.restoration.tiles.on_device import PhotosOnDevice, results_bytes
from jaxsr.restoration.tiles.placement import Size, Tile, TileCache, padded_size, plan
from jaxsr.restoration.tiles.program import ProgramSpec, TileResults, run_tiles
from jaxsr.support.errors import UserError
from jaxsr.support.memory import free_memory
from jaxsr.support.types import Progress, Tree

T = TypeVar("T")
EXHAUSTED = "RESOURCE_EXHAUSTED"  # XLA's word for memory that does not suffice
Group = list[tuple[int, TilePlacement]]  # tiles that run together: the index of the photo, and where in it
PhotoExtras = dict[str, np.ndarray]  # what a network returned beside a photo's image, by name
Result = tuple[np.ndarray, PhotoExtras]
ExtraInputs = Callable[[int, int, int, int], Tree]  # further inputs for a tile: top, left, height, width


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
        if not on_accelerator() or EXHAUSTED not in str(error) or not cache.reduce():
            raise
    return apply_tiled(model, photos, options, extra_inputs=extra_inputs, cache=cache, progress=progress)


def _outputs(run: "TiledRun", progress: Progress | None) -> list[Result | UserError]:
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


class TiledRun:
    """The tiles of several equal photos in `groups` for all devices at once, and the `outputs` they go to.

    With `keep_on_device`, an accelerator cuts them itself, and the outputs are there after `download`.
    """

    def __init__(
        self,
        model: Model,
        photos: Sequence[np.ndarray],
        options: RestoreOptions,
        extra_inputs: ExtraInputs | None,
        cache: TileCache,
    ) -> None:
        """Choose the tiles and place the weights; raises UserError for photos that are too small."""
        height, width, channels = photos[0].shape
        _check_size(model, (height, width))
        self.model, self._extra_inputs = cache.folded(model), extra_inputs
        details = ("all_rounds",) if options.all_rounds else ()
        forward = self.model.forward_spec(*details, precision=options.precision_for(model))
        self._spec = ProgramSpec(forward, options.quantize, options.ensemble)
        size = padded_size(model, (height, width))
        self._photos = [_padded(pixels, size) for pixels in photos]
        program = (self._spec, photos[0].dtype.str, channels)
        self.limits = CPU_LIMITS
        if extra_inputs is None:  # whose memory nobody has measured
            self.limits = cache.limits(forward, ensemble=options.ensemble)
        chosen = plan(self.model, size, options.tile, cache, program, photos=len(photos), limits=self.limits)
        self._tile, self._count = chosen.tile, chosen.devices * chosen.each
        self._whole = len(chosen.placements) == 1
        self._on_device: PhotosOnDevice | None = None
        self._mesh = _mesh(self.model, chosen.devices, chosen.tile[0])
        self._engine = _engine(self.model, options.engine, chosen.tile, forward.precision)
        if self._engine == XLA:
            self._variables = cache.placed(self.model, self._mesh)
        tiles = [(photo, placement) for photo in range(len(photos)) for placement in chosen.placements]
        self.groups: list[Group] = [tiles[i : i + self._count] for i in range(0, len(tiles), self._count)]
        shape = (model.scale * height, model.scale * width, channels)
        dtype = photos[0].dtype if options.quantize else np.float32
        self.outputs: list[Result | UserError] = [(np.empty(shape, dtype), {}) for _ in photos]

    def keep_on_device(self) -> None:
        """Let an accelerator that works alone cut photos of several tiles itself, and put the results together."""
        if self.limits == CPU_LIMITS or self._whole or self._mesh.size > 1 or self._engine != XLA:
            return
        dtype = self._photos[0].dtype if self._spec.quantize else np.dtype(np.float32)
        if results_bytes(self._photos, self.model.scale, dtype) > free_memory(self._mesh.devices.flat[0]) / 4:
            return
        self._on_device = PhotosOnDevice(self._photos, self.model.scale, dtype, self._mesh.devices.flat[0])

    def download(self) -> None:
        """Fetch the outputs that an accelerator has put together."""
        for i, image in enumerate(self._on_device.download() if self._on_device else ()):
            if not isinstance(output := self.outputs[i], UserError):
                height, width = output[0].shape[:2]
                self.outputs[i] = (image[:height, :width], output[1])

    def dispatch(self, group: Group) -> tuple[Group, TileResults | Results]:
        """Start the work on `group`; return it with its results, and more where tiles are missing."""
        filled = group + group[-1:] * (self._count - len(group))
        if self._on_device is not None:
            images, finite, _ = run_tiles(
                self._spec, self._mesh, self._variables, self._on_device.cut(filled, self._tile)
            )
            self._on_device.put(group, images)
            return group, (None, finite, {})
        height, width = self._tile
        tiles = [
            self._photos[photo][rows.start : rows.start + height, columns.start : columns.start + width]
            for photo, (rows, columns) in filled
        ]
        inputs: Tree = ()
        if self._extra_inputs is not None:
            each = [self._extra_inputs(rows.start, columns.start, height, width) for _, (rows, columns) in filled]
            inputs = (jax.tree.map(lambda *parts: np.stack(parts), *each),)
        if self._engine != XLA:
            forward = self._spec.forward
            plain = dataclasses.replace(self._spec, forward=dataclasses.replace(forward, precision="float32"))
            return group, run_tiles_by(self._engine, forward.precision, self.model, plain, np.stack(tiles), inputs)
        return group, run_tiles(self._spec, self._mesh, self._variables, np.stack(tiles), inputs)  # type: ignore[arg-type]

    def collect(self, group: Group, results: TileResults | Results) -> None:
        """Write what is kept of the tiles of `group` into the outputs."""
        images, finite, extras = jax.tree.map(np.asarray, results)
        for i, (photo, placement) in enumerate(group):
            output = self.outputs[photo]
            if isinstance(output, UserError):
                continue
            if not finite[i]:
                self.outputs[photo] = UserError(_non_finite(self.model, placement))
                continue
            if images is None:  # it is on the device
                continue
            _paste(output[0], images[i], placement, self.model.scale)
            output[1].update({name: x[i] for name, x in extras.items()})  # of networks that take the photo whole


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
    return each * (jax.local_device_count() // _mesh(model, chosen.devices, chosen.tile[0]).size)


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


def _mesh(model: Model, devices: int, height: int) -> Mesh:
    """Return the mesh of `devices` for tiles of `height`; rows are shared where there can be no tiles."""
    return tile_mesh(devices, height if model.radius is None else 0)  # tiles are shared, of all but tiny photos


def _engine(model: Model, engine: str, tile: Size, precision: str) -> str:
    """Return the engine for tiles of that size; XLA for tiny photos, on which a program for all sizes is not exact."""
    chosen = engine_for(model.spec.name, engine, precision=precision)
    return chosen if min(tile) >= smallest_side(model.minimum) else XLA


def _padded(pixels: np.ndarray, size: Size) -> np.ndarray:
    """Return `pixels` (H, W, C) reflected at the bottom and right to `size`."""
    rest = [whole - side for whole, side in zip(size, pixels.shape, strict=False)]
    return np.pad(pixels, [(0, rest[0]), (0, rest[1]), (0, 0)], mode="reflect") if any(rest) else pixels


def _paste(output: np.ndarray, image: np.ndarray, placement: TilePlacement, scale: int) -> None:
    """Write what is kept of a tile's `image` into `output`, which ends before the photo's padding."""
    target = output[tuple(slice(scale * span.keep_start, scale * span.keep_stop) for span in placement)]
    top, left = (scale * (span.keep_start - span.start) for span in placement)
    target[...] = image[top : top + target.shape[0], left : left + target.shape[1]]


def _check_size(model: Model, size: Size) -> None:
    if min(size) < model.minimum:
        height, width = size
        raise UserError(
            f"a photo of {width}x{height} pixels is too small for {model.name}, which takes at least "
            f"{model.minimum}x{model.minimum}; use a larger photo or another model"
        )


def _non_finite(model: Model, placement: TilePlacement) -> str:
    rows, columns = (f"{span.keep_start} to {span.keep_stop - 1}" for span in placement)
    return (
        f"{model.name} gave non-finite values in rows {rows}, columns {columns} of the photo; "
        "its weights are broken or their training diverged: use another weight file"
    )
