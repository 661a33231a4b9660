"""The tiles of a photo, and what photos that are restored one after another share."""

import dataclasses
import threading
from collections.abc import Hashable, Sequence
from typing import Literal

import jax
from absl import logging
from jax.sharding import Mesh

from jaxsr.degradations.reductions import BICUBIC_CONTEXT
from jaxsr.devices.meshes import place_replicated
from jaxsr.models import Model
from jaxsr.models.forward import ForwardSpec
from jaxsr.restoration.tiles.geometry import MAX_ENLARGED_TILE, Size, TilePlacement, check_largest, spans
from jaxsr.restoration.tiles.limits import CPU_LIMITS, TileLimits, tile_limits
from jaxsr.restoration.tiles.tile_sharing import affordable, best_tiles, fits, shared_tiles, work
from jaxsr.support.errors import UserError
from jaxsr.support.types import Variables

Tile = int | None | Literal["auto"]  # the largest tile in pixels, None for the whole photo at once
MIN_SHARE = 0.02  # of the memory: a network that does not fit into it needs a smaller tile by the user's choice


@dataclasses.dataclass
class TileCache:
    """The tiles that programs are compiled for, shared by photos that are restored one after another.

    `tiles` has them by what else a program depends on, each with the number of tiles that all devices take at once.
    With the `sizes` (H, W) of all photos known in advance, the first photo's tile is chosen to suit all. `share` is
    how much of its free memory an accelerator may use. Threads that share it hold its `lock` while devices work.
    """

    sizes: Sequence[Size] = ()
    tiles: dict[Hashable, dict[Size, int]] = dataclasses.field(default_factory=dict)
    share: float = 0.5
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock, repr=False, compare=False)

    def folded(self, model: Model) -> Model:
        """Return `model.folded()` in float32, which photos are computed in, once for all that it restores."""
        known = self._folded.get(model.name)
        if known is None or known[0] is not model:
            known = self._folded[model.name] = (model, model.in_float32().folded())
        return known[1]

    def placed(self, model: Model, mesh: Mesh) -> Variables:
        """Return the variables of `model` whole on each device of `mesh`, brought there once for many photos."""
        known = self._placed.get(model.name)
        if known is None or known[0] is not model or known[1] != mesh:
            known = self._placed[model.name] = (model, mesh, place_replicated(model.variables, mesh))
        return known[2]

    def limits(self, spec: ForwardSpec, *, ensemble: bool) -> TileLimits:
        """Return the `tile_limits` of a network, the same for all photos: what memory is free changes all the time."""
        if (spec, ensemble) not in self._limits:
            self._limits[spec, ensemble] = tile_limits(spec, ensemble=ensemble, share=self.share)
        return self._limits[spec, ensemble]

    def reduce(self) -> bool:
        """Choose smaller tiles from here on, since memory did not suffice; return whether that is possible."""
        self.share /= 4
        self.tiles.clear()
        self._limits.clear()
        return self.share >= MIN_SHARE

    def __reduce__(self) -> tuple[type["TileCache"], tuple[object, ...]]:
        """Pickle the `sizes` and the `share`: programs, weights on devices and the lock belong to a process."""
        return TileCache, (self.sizes, {}, self.share)

    def __post_init__(self) -> None:
        """Begin without weights, which one model of each name has here, and without limits."""
        self._folded: dict[str, tuple[Model, Model]] = {}
        self._placed: dict[str, tuple[Model, Mesh, Variables]] = {}
        self._limits: dict[tuple[ForwardSpec, bool], TileLimits] = {}

    @property
    def programs(self) -> int:
        """The number of compiled programs."""
        return sum(map(len, self.tiles.values()))


@dataclasses.dataclass(frozen=True)
class TilePlan:
    """The `tile` (H, W) that covers a photo, its `placements`, and how many `devices` take how many of them `each`."""

    tile: Size
    placements: list[TilePlacement]
    devices: int
    each: int


def context(model: Model) -> int | None:
    """Return how many pixels of the LR photo around a pixel its result depends on; None for the whole photo."""
    radius = model.radius
    if radius is None:
        return None
    if model.spec.pre_upsampled:
        return BICUBIC_CONTEXT - (-radius // model.scale)
    return max(radius, BICUBIC_CONTEXT) if model.channels == 1 else radius


def check_tile(model: Model, tile: Tile) -> None:
    """Raise UserError for a `tile` that no photo is restored with: smaller than its context, or than a whole photo."""
    if not isinstance(tile, int):
        return
    halo, multiple = context(model), model.spec.multiple_of
    if halo is None:
        halo = _tile_context(model, tile)
    check_largest(tile, halo + -halo % multiple, multiple)


def padded_size(model: Model, size: Size) -> Size:
    """Return `size` (H, W) rounded up to the multiples that the network takes."""
    height, width = (side + -side % model.spec.multiple_of for side in size)
    return height, width


def plan(
    model: Model,
    size: Size,
    tile: Tile,
    cache: TileCache,
    program: Hashable,
    *,
    photos: int = 1,
    limits: TileLimits = CPU_LIMITS,
) -> TilePlan:
    """Return the TilePlan of a photo of `size`, which has the network's multiples, for `photos` photos at once.

    `tile` is the option of a restore, `limits` are those of the devices. The chosen tile is noted in `cache`, under
    what else the `program` depends on. A photo smaller than a compiled tile gets a smaller one: padded, it would differ
    at its edge, since behind the first layer what lies beyond the photo is no longer zero. So tiny photos, which fit no
    tile of the ladder, and those of networks that depend on the whole photo, have programs of their own size. Raises
    UserError as `best_tile` does.
    """
    halo = context(model)
    if halo is None and isinstance(tile, int):
        halo = _approximate_context(model, size, tile)
    compiled = cache.tiles.setdefault(program, {})
    if tile is None or halo is None:
        chosen, sizes, halo = size, (), 0
    else:
        multiple = model.spec.multiple_of
        halo += -halo % multiple
        largest = _automatic_tile(model, halo, limits) if tile == "auto" else tile
        sizes = tuple(padded_size(model, each) for each in cache.sizes)
        bounds = limits if tile == "auto" else limits._replace(at_once=0)  # the user's tile, also of photos that fit
        known = (*shared_tiles(sizes, halo, largest, multiple, bounds), *compiled)
        best = best_tiles(size, halo, largest, multiple, bounds)
        chosen = affordable(size, known, halo, best, limits.compile_cost)
    alike = [each for each in (size, *sizes) if fits(chosen, each, halo)]
    most = photos * max(work(chosen, each, halo) for each in alike) // (chosen[0] * chosen[1])
    count = compiled.setdefault(chosen, _at_once(most, limits.tiles_at_once(*chosen)))
    devices = min(count, jax.local_device_count())
    rows, columns = (spans(side, part, halo) for side, part in zip(size, chosen, strict=True))
    placements = [TilePlacement(row, column) for row in rows for column in columns]
    return TilePlan(chosen, placements, devices, count // devices)


def _at_once(tiles: int, most: int) -> int:
    """Return how many of `tiles` all devices take at once, each the same number, at most `most`, in as few rounds."""
    devices = min(tiles, jax.local_device_count())
    rounds = -(-tiles // (devices * most))
    return devices * -(-tiles // (devices * rounds))


def _automatic_tile(model: Model, halo: int, limits: TileLimits) -> int | None:
    """Return the largest tile for "auto"; None leaves the choice to `best_tile`."""
    if limits.largest_side is not None:
        return max(limits.largest_side, 4 * halo)
    return max(MAX_ENLARGED_TILE // model.scale, 4 * halo) if model.spec.pre_upsampled else None


def _approximate_context(model: Model, size: Size, tile: int) -> int | None:
    """Return the context of tiles that are each normalized alone, with a warning; None where one tile holds the photo.

    Raises UserError for a network whose result on tiles would not even approximate that on the photo.
    """
    halo = _tile_context(model, tile)
    if max(size) <= tile:
        return None
    logging.warning(
        "tile=%d: %s normalizes by the whole photo, but its tiles by themselves; "
        "leave the tile out where memory allows",
        tile,
        model.name,
    )
    return halo


def _tile_context(model: Model, tile: int) -> int:
    """Return the context of tiles that are each normalized alone; raises UserError as `_approximate_context` does."""
    if model.spec.tile_context is None:
        raise UserError(f"tile={tile}: {model.name} sees the whole photo at every pixel; leave the tile out")
    return model.spec.tile_context(model.module)
