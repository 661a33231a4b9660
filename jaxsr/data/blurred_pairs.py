"""Pairs of blurred and sharp photos: FOLDER/blur and FOLDER/sharp, or these two in the folder of each scene.

Source of the second layout: GoPro's, Nah et al., CVPR 2017: train/SCENE/blur/000001.png, train/SCENE/sharp/000001.png.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxsr.data.images import read_pixels
from jaxsr.data.listing import PHOTO_SUFFIXES, list_photos, pair_by_name
from jaxsr.data.output_names import output_stems
from jaxsr.data.samples import to_training_pixels
from jaxsr.support.errors import UserError
from jaxsr.support.messages import first_few
from jaxsr.support.paths import is_folder

BLUR, SHARP = "blur", "sharp"
MAX_LISTED_FAILURES = 3  # in an error message


@dataclasses.dataclass(frozen=True)
class BlurredPhoto:
    """The files of a blurred photo and of the same photo sharp; `name` is their stem, with the scene's before it.

    Where several pairs of a folder have that, it is longer; see `output_stems`.
    """

    name: str
    sharp: Path
    blurred: Path

    def pixels(self) -> np.ndarray:
        """Return both photos as (H, W, 6) uint8: RGB of the sharp one, then of the blurred one.

        Raises UserError if a file is unreadable or their sizes differ.
        """
        sharp, blurred = (to_training_pixels(read_pixels(path)) for path in (self.sharp, self.blurred))
        if sharp.shape != blurred.shape:
            sizes = [f"{x.shape[1]}x{x.shape[0]}" for x in (sharp, blurred)]
            raise UserError(f"{self.blurred} has {sizes[1]} pixels, the sharp one {sizes[0]}; they must be equal")
        return np.concatenate([sharp, blurred], axis=-1)


def holds_pairs(folder: str | Path) -> bool:
    """Return whether `folder` has pairs in one of the two layouts, and no photos beside the folders of scenes."""
    folder = Path(folder)
    if not is_folder(folder) or is_scene(folder):
        return is_folder(folder)
    inside = list(folder.iterdir())
    return any(map(is_scene, inside)) and not any(path.suffix.lower() in PHOTO_SUFFIXES for path in inside)


def find_pairs(folder: str | Path) -> list[BlurredPhoto]:
    """Return the pairs of `folder`, matched by their names without suffix.

    Raises UserError if there are none, and for photos without a partner, of which it names the first.
    """
    folder = Path(folder)
    if not holds_pairs(folder):
        raise UserError(f"{folder} holds no pairs; put photos of equal names in {folder / BLUR} and {folder / SHARP}")
    if is_scene(folder):
        pairs = _pairs_of(folder, "")
    else:
        scenes = sorted(path for path in folder.iterdir() if (path / BLUR).is_dir() or (path / SHARP).is_dir())
        pairs = [pair for scene in scenes for pair in _pairs_of(scene, f"{scene.name}_")]
    stems = output_stems({pair.sharp: Path(f"{pair.name}{pair.sharp.suffix}") for pair in pairs})
    return [dataclasses.replace(pair, name=stems[pair.sharp].as_posix()) for pair in pairs]


def _pairs_of(scene: Path, prefix: str) -> list[BlurredPhoto]:
    sharp, blurred = list_photos([scene / SHARP]), list_photos([scene / BLUR])
    files = pair_by_name(sharp, blurred, kinds=("sharp", "blurred"), in_order=False)
    return [BlurredPhoto(prefix + sharp.stem, sharp, blurred) for sharp, blurred in files]


def is_scene(folder: Path) -> bool:
    """Return whether `folder` contains the folders `blur` and `sharp`."""
    return is_folder(folder / BLUR) and is_folder(folder / SHARP)


def folder_pairs(folder: str | Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, sharp and blurred photo (H, W, 6) uint8) of each pair in `folder`.

    Raises UserError as `find_pairs` does, and at the end a single one for all pairs that are unreadable or unequal in
    size.
    """
    failures, pairs = [], find_pairs(folder)
    for pair in pairs:
        try:
            yield pair.name, pair.pixels()
        except UserError as error:
            failures.append(str(error))
    if failures:
        raise UserError(
            f"{len(failures)} of {len(pairs)} pairs in {folder} cannot be used; repair or remove them: "
            f"{first_few(failures, most=MAX_LISTED_FAILURES, separator='; ')}"
        )
