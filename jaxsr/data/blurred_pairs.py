"""Blurred photos beside the sharp ones they belong to: FOLDER/blur and FOLDER/sharp, or so in each scene's folder.

Source of the second layout: GoPro's, Nah et al., CVPR 2017: train/SCENE/blur/000001.png, train/SCENE/sharp/000001.png.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxsr.data.images import read_pixels
from jaxsr.data.listing import PHOTO_SUFFIXES, list_photos, pair_by_name
from jaxsr.data.samples import to_training_pixels
from jaxsr.support.errors import UserError

BLUR, SHARP = "blur", "sharp"
NAMED = 3  # of the failures, in an error of one line


@dataclasses.dataclass(frozen=True)
class BlurredPhoto:
    """The files of a blurred photo and its sharp one; `name` is their stem, after the scene's where it has one."""

    name: str
    sharp: Path
    blurred: Path

    def pixels(self) -> np.ndarray:
        """Return both (H, W, 6) uint8: RGB of the sharp one, then of the blurred one.

        Raises UserError where a file is unreadable or their sizes differ.
        """
        sharp, blurred = (to_training_pixels(read_pixels(path)) for path in (self.sharp, self.blurred))
        if sharp.shape != blurred.shape:
            sizes = [f"{x.shape[1]}x{x.shape[0]}" for x in (sharp, blurred)]
            raise UserError(f"{self.blurred} has {sizes[1]} pixels, the sharp one {sizes[0]}; they must be equal")
        return np.concatenate([sharp, blurred], axis=-1)


def holds_pairs(folder: str | Path) -> bool:
    """Return whether `folder` has blurred and sharp photos in one of the two layouts, and none beside its scenes."""
    folder = Path(folder)
    if not folder.is_dir() or is_scene(folder):
        return folder.is_dir()
    inside = list(folder.iterdir())
    return any(map(is_scene, inside)) and not any(path.suffix.lower() in PHOTO_SUFFIXES for path in inside)


def find_pairs(folder: str | Path) -> list[BlurredPhoto]:
    """Return the pairs of `folder`, matched by their names without suffix.

    Raises UserError where there are none, and, naming the first, for photos without a partner.
    """
    folder = Path(folder)
    if not holds_pairs(folder):
        raise UserError(f"{folder} holds no pairs; put photos of equal names in {folder / BLUR} and {folder / SHARP}")
    if is_scene(folder):
        return _pairs_of(folder, "")
    scenes = sorted(path for path in folder.iterdir() if (path / BLUR).is_dir() or (path / SHARP).is_dir())
    return [pair for scene in scenes for pair in _pairs_of(scene, f"{scene.name}_")]


def _pairs_of(scene: Path, prefix: str) -> list[BlurredPhoto]:
    sharp, blurred = list_photos([scene / SHARP]), list_photos([scene / BLUR])
    files = pair_by_name(sharp, blurred, kinds=("sharp", "blurred"), in_order=False)
    return [BlurredPhoto(prefix + sharp.stem, sharp, blurred) for sharp, blurred in files]


def is_scene(folder: Path) -> bool:
    """Return whether `folder` has the folders of blurred and of sharp photos in it."""
    return (folder / BLUR).is_dir() and (folder / SHARP).is_dir()


def folder_pairs(folder: str | Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, sharp and blurred photo (H, W, 6) uint8) of `folder`.

    Raises UserError as `find_pairs` does, and at the end, in one line, for all that are unreadable or of unequal sizes.
    """
    failures, pairs = [], find_pairs(folder)
    for pair in pairs:
        try:
            yield pair.name, pair.pixels()
        except UserError as error:
            failures.append(str(error))
    if failures:
        more = f"; and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
        raise UserError(
            f"{len(failures)} of {len(pairs)} pairs in {folder} do not serve; mend or remove them: "
            f"{'; '.join(failures[:NAMED])}{more}"
        )
