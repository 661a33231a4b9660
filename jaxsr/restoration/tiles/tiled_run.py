"""The tiles of equal photos: how they are cut, run in groups for all devices, and put together."""

import dataclasses
from collections.abc import Callable, Sequence

import jax
import numpy as np
from jax.sharding import Mesh

from jaxsr.devices.meshes import tile_mesh
from jaxsr.engines.engine_choice import XLA, engine_for
from jaxsr.engines.tracing import smallest_side
from jaxsr.models import Model
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.tiles.engine_tiles import Results, run_tiles_by
from jaxsr.restoration.tiles.geometry import Size, TilePlacement
from jaxsr.restoration.tiles.limits import CPU_LIMITS
from jaxsr.restoration.tiles.on_device import PhotosOnDevice, results_bytes
from jaxsr.restoration.tiles.placement import TileCache, padded_size, plan
from jaxsr.restoration.tiles.program import ProgramSpec, TileResults, run_tiles
from jaxsr.support.errors import UserError
from jaxsr.support.memory import free_memory
from jaxsr.support.types import Tree

Group = list[tuple[int, TilePlacement]]  # tiles that run together: the index of the photo, and where in it
PhotoExtras = dict[str, np.ndarray]  # what a network returned beside a photo's image, by name
Result = tuple[np.ndarray, PhotoExtras]
ExtraInputs = Callable[[int, int, int, int], Tree]  # further inputs for a tile: top, left, height, width


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
        self._mesh = mesh_for(self.model, chosen.devices, chosen.tile[0])
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


def mesh_for(model: Model, devices: int, height: int) -> Mesh:
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
