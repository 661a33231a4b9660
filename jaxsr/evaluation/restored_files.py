"""Which file in a folder of restored photos is that of a pair, by the names that `restore` and `evaluate` give them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from jaxsr.data.listing import find_photos
from jaxsr.evaluation.naming import base_name, by_base_name
from jaxsr.evaluation.sources import Source
from jaxsr.support.errors import UserError

BESIDE = ("kernels", "matches", "rounds")  # the folders that `restore` writes beside photos


def restored_files(folder: str | Path, sources: Sequence[Source], scale: int) -> Callable[[str], Path]:
    """Return a function from a pair's name to its photo in `folder`.

    That is the file of this name, or of an LR photo's such as 0001x2, or in the place of a blurred photo of scenes,
    SCENE/blur/NAME. It raises UserError where there is none, or more than one.
    """
    files: dict[str, list[Path]] = {}
    for path, name in without_beside(find_photos([folder], recursive=True).photos).items():
        files.setdefault(name.with_suffix("").as_posix(), []).append(path)
    stems = {source.stem for source in sources}
    places = {source.stem: Path(*source.lr.parts[-3:]).with_suffix("").as_posix() for source in sources if source.lr}
    others = by_base_name([path for name, paths in files.items() if name not in stems for path in paths], scale)

    def file_of(name: str) -> Path:
        found = (files.get(name), files.get(places.get(name, "")), others.get(base_name(name, scale)))
        named = next(filter(None, found), [])
        if not named:
            raise UserError(f"{folder} holds no restored photo {name}; restore it, or leave its HR photo out")
        if len(named) > 1:
            raise UserError(f"{named[0]} and {named[1]} are both {name} by their names; move one of them away")
        return named[0]

    return file_of


def without_beside(files: Mapping[Path, Path]) -> dict[Path, Path]:
    """Return the `files`, each with its place below a folder, but for what `restore` writes beside one of them.

    That is pictures of kernels and matches, and images of rounds.
    """
    stems = {name.with_suffix("") for name in files.values()}
    return {path: name for path, name in files.items() if not _is_beside(name, stems)}


def _is_beside(name: Path, stems: Collection[Path]) -> bool:
    """Return whether the photo `name` lies in one of the folders BESIDE, and belongs to one of the photos `stems`."""
    stem = name.stem.rpartition("-")[0] if name.parent.name == "rounds" else name.stem
    return name.parent.name in BESIDE and name.parent.parent / stem in stems
