"""What restores photos: a network with weights, or ZSSR, which learns from each photo; both behind one interface."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import jax

from jaxsr.api.named_models import load_with_options, split_options
from jaxsr.blind.zssr import zssr_files
from jaxsr.blind.zssr.kernel_choice import check_request
from jaxsr.blind.zssr.restoration import restore_zssr
from jaxsr.blind.zssr.settings import ESTIMATE, ZSSRSettings
from jaxsr.data.images import Photo, photo_size
from jaxsr.imaging.pixels import to_float, to_levels
from jaxsr.models import Model
from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.restoration.photo import restore_photo, with_alpha, with_features, without_hidden_colours
from jaxsr.restoration.photo_files import batches_of_photos, restore_files
from jaxsr.restoration.precision_choice import AUTO
from jaxsr.restoration.saving import DEFAULT_SAVING, SaveOptions
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.support.errors import FAILURES, UserError, failure_line
from jaxsr.support.types import Progress

ZSSR = "zssr"
ZSSR_TAKES = ("ensemble", "quantize")  # of RestoreOptions, and the precision that it has
DEFAULT_SCALE = 2  # of ZSSR, which has no weights that say


class Restorer(Protocol):
    """A system with its options. `progress` counts in `unit`s: the tiles of a network, or ZSSR's training steps."""

    @property
    def name(self) -> str:
        """The system with its scale, such as "fsrcnn-x2"."""
        ...

    @property
    def unit(self) -> str:
        """What progress is counted in."""
        ...

    @property
    def scale(self) -> int:
        """How many times larger."""
        ...

    @property
    def folders_beside(self) -> tuple[str, ...]:
        """The folders beside an output that get further files of its name, such as "kernels"."""
        ...

    def restore(self, photo: Photo, *, progress: Progress | None = None) -> Photo:
        """Return `photo` restored, with its alpha enlarged by bicubic."""
        ...

    def batches(self, paths: Sequence[Path]) -> list[list[Path]]:
        """Return the files in batches that occupy all devices."""
        ...

    def restore_files(
        self, outputs: Mapping[Path, Path], *, saving: SaveOptions = DEFAULT_SAVING, progress: Progress | None = None
    ) -> dict[Path, str]:
        """Write the photos in the files `outputs` (keys), restored, to its values; return why some are not."""
        ...


def restore_batch(
    restorer: Restorer, outputs: Mapping[Path, Path], saving: SaveOptions, progress: Progress | None = None
) -> dict[Path, str]:
    """Write the photos that are keys of `outputs`, one batch of `restorer`, to the values; return why some are not."""
    try:
        return restorer.restore_files(outputs, saving=saving, progress=progress)
    except FAILURES as error:
        return {path: failure_line(path, error) for path in outputs}


def open_restorer(
    model: str | Path | Model, *, scale: int | None = None, options: RestoreOptions = DEFAULT_OPTIONS
) -> Restorer:
    """Return what restores photos as `model` and its options say; everything that does not depend on a photo is done.

    Args:
        model: "zssr", a shipped name, a weight file or a run folder, each with the system's own options after it, such
            as "zssr,steps=300" or "runs/danv1,rounds=4"; or a Model.
        scale: how many times larger; by default what the model says, or 2 if it has that.
        options: how photos are restored.

    Raises:
        UserError: for a model that does not exist or lacks the scale, and options that do not fit it.
    """
    if isinstance(model, Model):
        if scale not in (None, model.scale):
            raise UserError(f"scale={scale} was asked for, but {model.name} enlarges {model.scale} times")
        return NetworkRestorer.prepare(model, options)
    name, own = split_options(model)
    if name == ZSSR:
        return ZSSRRestorer.prepare(DEFAULT_SCALE if scale is None else scale, ZSSRSettings.from_options(own), options)
    return NetworkRestorer.prepare(*load_with_options(model, scale=scale, options=options))


@dataclasses.dataclass(frozen=True)
class NetworkRestorer:
    """A network with weights. Photos share its `cache` of tile sizes."""

    model: Model
    options: RestoreOptions
    cache: TileCache = dataclasses.field(default_factory=TileCache)
    unit: str = "tile"

    @classmethod
    def prepare(cls, model: Model, options: RestoreOptions) -> "NetworkRestorer":
        """Check the options and extract the features of references."""
        options.check(model)
        return cls(model, with_features(model, options.with_precision(model)))

    @property
    def name(self) -> str:
        """The model's name with its scale."""
        return self.model.name

    @property
    def scale(self) -> int:
        """How many times larger."""
        return self.model.scale

    @property
    def folders_beside(self) -> tuple[str, ...]:
        """The folders of DAN's kernels and rounds, and of SRNTT's matches."""
        written = {
            "kernels": "code_length" in self.model.options,
            "rounds": self.options.all_rounds,
            "matches": self.options.save_matches,
        }
        return tuple(folder for folder, there in written.items() if there)

    def restore(self, photo: Photo, *, progress: Progress | None = None) -> Photo:
        """Return `photo` restored; progress counts tiles."""
        return restore_photo(self.model, photo, self.options, cache=self.cache, progress=progress)[0]

    def batches(self, paths: Sequence[Path]) -> list[list[Path]]:
        """Return the files in batches of photos of one size; tile sizes are chosen to suit all of them."""
        sizes = {path: photo_size(path) for path in paths}
        self.cache.sizes = [size for size in sizes.values() if size]
        return batches_of_photos(self.model, sizes, self.options.tile, self.cache)

    def restore_files(
        self, outputs: Mapping[Path, Path], *, saving: SaveOptions = DEFAULT_SAVING, progress: Progress | None = None
    ) -> dict[Path, str]:
        """Write the restored photos, and the extras beside them; return why some are not."""
        return restore_files(self.model, outputs, self.options, saving=saving, cache=self.cache, progress=progress)


@dataclasses.dataclass(frozen=True)
class ZSSRRestorer:
    """ZSSR, whose network learns from the photo that it restores."""

    scale: int
    settings: ZSSRSettings
    options: RestoreOptions
    unit: str = "step"

    @classmethod
    def prepare(cls, scale: int, settings: ZSSRSettings, options: RestoreOptions) -> "ZSSRRestorer":
        """Check the scale, the kernel file and the options."""
        options = dataclasses.replace(options, precision=AUTO if options.precision == "float32" else options.precision)
        if unfit := [name for name in options.changed() if name not in ZSSR_TAKES]:
            raise UserError(f"zssr takes no {unfit[0]}; leave it out, or choose another model")
        check_request(scale, settings)
        return cls(scale, settings, options)

    @property
    def name(self) -> str:
        """The name with the scale."""
        return f"{ZSSR}-x{self.scale}"

    @property
    def folders_beside(self) -> tuple[str, ...]:
        """The folder of estimated kernels."""
        return ("kernels",) if self.settings.kernel == ESTIMATE else ()

    def restore(self, photo: Photo, *, progress: Progress | None = None) -> Photo:
        """Return `photo` restored; progress counts training steps."""
        photo = without_hidden_colours(photo)
        (image,) = restore_zssr(
            [to_float(photo.pixels)],
            scale=self.scale,
            settings=self.settings,
            ensemble=self.options.ensemble,
            progress=progress,
        )
        return with_alpha(photo, to_levels(image, photo.pixels.dtype) if self.options.quantize else image, self.scale)

    def batches(self, paths: Sequence[Path]) -> list[list[Path]]:
        """Return the files in batches of one photo for each device."""
        count = jax.local_device_count()
        return [list(paths[i : i + count]) for i in range(0, len(paths), count)]

    def restore_files(
        self, outputs: Mapping[Path, Path], *, saving: SaveOptions = DEFAULT_SAVING, progress: Progress | None = None
    ) -> dict[Path, str]:
        """Write the restored photos, and estimated kernels beside them; return why some are not."""
        return zssr_files.restore_files(
            outputs,
            scale=self.scale,
            settings=self.settings,
            ensemble=self.options.ensemble,
            saving=saving,
            progress=progress,
        )
