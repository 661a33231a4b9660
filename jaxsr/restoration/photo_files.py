"""Photos from files to files, several at once where one alone would leave devices idle."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxsr.data.images import Photo, read_photo, write_photo
from jaxsr.data.kernel_files import kernel_picture, write_arrays, write_kernel
from jaxsr.models import Model
from jaxsr.restoration.photo import with_alpha
from jaxsr.restoration.reference.match_pictures import matches_picture
from jaxsr.restoration.reference.transfer import restore_each
from jaxsr.restoration.tiles.placement import Folder, Size, Tile
from jaxsr.restoration.tiles.program import Found
from jaxsr.restoration.tiles.tiled_run import Result, at_once
from jaxsr.support.errors import UserError
from jaxsr.support.progress import progress_bar


def groups_at_once(model: Model, sizes: Mapping[Path, Size | None], tile: Tile, folder: Folder) -> list[list[Path]]:
    """Return the photos of `sizes` (H, W) in groups for `restore_files`: of one size, as many as occupy all devices.

    The groups go by their first photo. Photos that need a reference each, or are of unknown size, stay alone.
    """
    if model.needs:
        return [[path] for path in sizes]
    counts = Counter(sizes.values())
    rooms = {size: _room(model, size, tile, folder) for size, count in counts.items() if size and count > 1}
    groups: list[list[Path]] = []
    unfinished: dict[Size, list[Path]] = {}
    for path, size in sizes.items():
        if size in unfinished and len(unfinished[size]) < rooms[size]:
            unfinished[size].append(path)
            continue
        groups.append([path])
        if size in rooms:
            unfinished[size] = groups[-1]
    return groups


def _room(model: Model, size: Size, tile: Tile, folder: Folder) -> int:
    """Return how many photos of `size` make a group; 1 where they cannot be restored, which is told in their turn."""
    try:
        return at_once(model, size, tile, folder)
    except UserError:
        return 1


def restore_files(model: Model, outputs: Mapping[Path, Path], **options: Any) -> dict[Path, str]:
    """Write the photos in the files that are keys of `outputs`, restored by `model`, to the values.

    Those of one shape and depth are restored at once, with `options` of `restore_pixels`; a bar shows their tiles on a
    terminal. What the network finds out about a photo goes to folders beside: see `write_found`. Returned is for each
    photo that could not be read, restored or written a line that names its file.
    """
    alike: dict[Any, dict[Path, Photo]] = {}
    failures: dict[Path, str] = {}
    for path in outputs:
        try:
            photo = read_photo(path)
        except UserError as error:
            failures[path] = str(error)
        else:
            alike.setdefault((photo.pixels.shape, photo.depth), {})[path] = photo
    for photos in alike.values():
        for path, result in _restored(model, photos, options).items():
            try:
                if isinstance(result, UserError):
                    raise result
                write_photo(outputs[path], with_alpha(photos[path], result[0], model.scale, options.get("folder")))
                write_found(outputs[path], result[1])
            except (UserError, OSError) as error:
                failures[path] = f"{path}: {error}"
    return failures


def _restored(model: Model, photos: Mapping[Path, Photo], options: Mapping[str, Any]) -> dict[Path, Result | UserError]:
    """Return what `restore_each` gives for the pixels of each of `photos`, all alike."""
    with progress_bar(photos, "tile") as progress:
        try:
            results = restore_each(model, [photo.pixels for photo in photos.values()], progress=progress, **options)
        except UserError as error:
            return dict.fromkeys(photos, error)
    return dict(zip(photos, results, strict=True))


def write_found(output: Path, found: Found) -> None:
    """Write beside the photo `output` what the network found out, as `restore_pixels` returns it: of SRNTT the places
    matched, as a picture matches/NAME.png; of DAN the following.

    The last round's kernel becomes kernels/NAME.npz (`Kernel`, with all rounds' `kernels` and `codes`) and a picture of
    it, kernels/NAME.png; DANv1 knows codes alone. The rounds' images become rounds/NAME-1.png, ...
    """
    folder, facts = output.parent / "kernels", {name: found[name] for name in ("codes", "kernels") if name in found}
    if "kernels" in found:
        write_kernel(folder / f"{output.stem}.npz", found["kernels"][-1], facts)
        write_photo(folder / f"{output.stem}.png", Photo(kernel_picture(found["kernels"][-1])))
    elif "places" in found:
        picture = matches_picture(found["places"], found["sizes"])
        write_photo(folder.with_name("matches") / f"{output.stem}.png", Photo(picture))
    elif facts:
        write_arrays(folder / f"{output.stem}.npz", facts)
    for i, image in enumerate(found.get("images", ()), start=1):
        pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        write_photo(output.parent / "rounds" / f"{output.stem}-{i}{output.suffix}", Photo(pixels))
