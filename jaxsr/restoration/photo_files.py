"""Photos from files to files, several at the same time where one alone would leave devices idle."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from jax.errors import JaxRuntimeError

from jaxsr.data.images import Photo, write_photo
from jaxsr.data.kernel_files import kernel_picture, write_arrays, write_kernel
from jaxsr.imaging.pixels import to_levels
from jaxsr.models import Model
from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.restoration.photo import restore_each, with_alpha
from jaxsr.restoration.reference.match_pictures import matches_picture
from jaxsr.restoration.saving import DEFAULT_SAVING, SaveOptions
from jaxsr.restoration.tiles.geometry import Size
from jaxsr.restoration.tiles.placement import Tile, TileCache
from jaxsr.restoration.tiles.tiled_photos import photos_per_batch
from jaxsr.restoration.tiles.tiled_run import PhotoExtras, Result
from jaxsr.support.errors import FAILURES, UserError, failure_line
from jaxsr.support.types import Progress

NETWORK_FAILURES = (*FAILURES, JaxRuntimeError)  # the last where a device has no memory left


def batches_of_photos(
    model: Model, sizes: Mapping[Path, Size | None], tile: Tile, cache: TileCache
) -> list[list[Path]]:
    """Return the photos of `sizes` (H, W) in batches for `restore_files`: of one size, as many as occupy all devices.

    The batches are in the order of their first photos. Photos of unknown size, and those
    of a network that needs a reference, are alone.
    """
    if model.needs:
        return [[path] for path in sizes]
    counts = Counter(sizes.values())
    capacities = {size: _capacity(model, size, tile, cache) for size, count in counts.items() if size and count > 1}
    batches: list[list[Path]] = []
    unfinished: dict[Size, list[Path]] = {}
    for path, size in sizes.items():
        if size in unfinished and len(unfinished[size]) < capacities[size]:
            unfinished[size].append(path)
            continue
        batches.append([path])
        if size in capacities:
            unfinished[size] = batches[-1]
    return batches


def _capacity(model: Model, size: Size, tile: Tile, cache: TileCache) -> int:
    """Return how many photos of `size` make a batch; 1 where they fail, which is reported in their turn."""
    try:
        return photos_per_batch(model, size, tile, cache)
    except UserError:
        return 1


def restore_files(
    model: Model,
    outputs: Mapping[Path, Path],
    options: RestoreOptions = DEFAULT_OPTIONS,
    *,
    saving: SaveOptions = DEFAULT_SAVING,
    cache: TileCache | None = None,
    progress: Progress | None = None,
) -> dict[Path, str]:
    """Write the photos in the files that are keys of `outputs`, restored by `model`, to the values.

    Those of one shape and depth are restored together. What the network returns beside the image goes to folders
    beside: see `write_extras` and `write_rounds`. `progress(done, total)` counts tiles, anew for photos of another
    shape. Returned is for each photo that could not be read, restored or written a line that names its file; the
    others are done.
    """
    cache = TileCache() if cache is None else cache
    photos, failures = _read(outputs, model.scale, saving)
    alike: dict[tuple[tuple[int, ...], int], dict[Path, Photo]] = {}
    for path, photo in photos.items():
        alike.setdefault((photo.pixels.shape, photo.depth), {})[path] = photo
    for group in alike.values():
        for path, result in _restored(model, group, options, cache, progress).items():
            try:
                if isinstance(result, Exception):
                    raise result
                with cache.lock:
                    restored = with_alpha(photos[path], result[0], model.scale, cache)
                saving.write(outputs[path], restored, model.scale)
                write_extras(outputs[path], result[1])
                write_rounds(outputs[path], result[1], restored, saving, model.scale)
            except NETWORK_FAILURES as error:
                failures[path] = network_failure_line(path, error)
    return failures


def network_failure_line(path: Path | str, error: Exception) -> str:
    """Return the line for a photo, video or model that failed; XLA's for exhausted memory becomes a MemoryError's."""
    if isinstance(error, JaxRuntimeError):
        error = MemoryError() if "RESOURCE_EXHAUSTED" in str(error) else UserError(str(error).partition("\n")[0])
    return failure_line(path, error)


def _read(outputs: Mapping[Path, Path], scale: int, saving: SaveOptions) -> tuple[dict[Path, Photo], dict[Path, str]]:
    """Return the photos in the files that are keys of `outputs` as they are restored, and why others cannot be."""
    photos: dict[Path, Photo] = {}
    failures: dict[Path, str] = {}
    for path, output in outputs.items():
        try:
            photos[path] = saving.read(path, output, scale)
        except FAILURES as error:
            failures[path] = failure_line(path, error)
    return photos, failures


def _restored(
    model: Model,
    photos: Mapping[Path, Photo],
    options: RestoreOptions,
    cache: TileCache,
    progress: Progress | None,
) -> dict[Path, Result | Exception]:
    """Return what `restore_each` gives for each of `photos`, all alike; its error, if any, is that of each.

    Several that together do not fit into memory are tried one by one.
    """
    pixels = [photo.pixels for photo in photos.values()]
    try:
        with cache.lock:
            results = restore_each(model, pixels, options, cache=cache, progress=progress)
        return dict(zip(photos, results, strict=True))
    except UserError as error:
        return dict.fromkeys(photos, error)
    except NETWORK_FAILURES as error:
        if len(photos) == 1:
            return dict.fromkeys(photos, error)
    alone: dict[Path, Result | Exception] = {}
    for path, photo in photos.items():
        alone |= _restored(model, {path: photo}, options, cache, progress)
    return alone


def write_extras(output: Path, extras: PhotoExtras) -> None:
    """Write beside the photo `output` what the network returned with it.

    Of SRNTT that is a picture of the matches, matches/NAME.png. Of DAN the last round's kernel becomes kernels/NAME.npz
    (`Kernel`, with all rounds' `kernels` and `codes`) and a picture of it, kernels/NAME.png; DANv1 has codes only.
    """
    folder, stem = output.parent / "kernels", output.stem
    arrays = {name: extras[name] for name in ("codes", "kernels") if name in extras}
    if "kernels" in extras:
        write_kernel(folder / f"{stem}.npz", extras["kernels"][-1], arrays)
        write_photo(folder / f"{stem}.png", Photo(kernel_picture(extras["kernels"][-1])))
    elif "places" in extras:
        picture = matches_picture(extras["places"], extras["sizes"])
        write_photo(folder.with_name("matches") / f"{stem}.png", Photo(picture))
    elif arrays:
        write_arrays(folder / f"{stem}.npz", arrays)


def write_rounds(output: Path, extras: PhotoExtras, restored: Photo, saving: SaveOptions, scale: int) -> None:
    """Write the images of DAN's rounds in `extras`, if any, to rounds/NAME-1.png, ..., saved as the result is.

    They have the alpha, the profile and the metadata of the photo `restored`: beside it, other colours would mislead.
    """
    for i, image in enumerate(extras.get("images", ()), start=1):
        path = output.parent / "rounds" / f"{output.stem}-{i}{output.suffix}"
        saving.write(path, dataclasses.replace(restored, pixels=to_levels(image, restored.pixels.dtype)), scale)
