"""Which files a command works on, which of them are pairs, and where outputs go."""

import glob
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from jaxsr.data.codecs.photo_formats import PHOTO_SUFFIXES
from jaxsr.support.errors import UserError


def list_photos(inputs: Sequence[str | Path]) -> list[Path]:
    """Return the photos that `inputs` name, sorted, each once.

    A folder stands for the photos directly in it, a pattern (`**` too) for those it matches, both by PHOTO_SUFFIXES.
    A file named explicitly is kept whatever its suffix, even if it does not exist, so that it is reported with other
    unreadable photos. Raises UserError for no inputs, for a folder or a pattern without photos, and for a name without
    a suffix that is neither file nor folder.
    """
    if not inputs:
        raise UserError("no photos given; name files, folders or patterns such as 'photos/*.png'")
    return sorted({path for item in inputs for path in _photos_of(Path(item).expanduser())})


def _photos_of(item: Path) -> list[Path]:
    if item.is_dir():
        return _only_photos(item.iterdir()) or _refuse(f"folder {item} holds no photos")
    if item.is_file():
        return [item]
    if glob.has_magic(str(item)):
        matches = map(Path, glob.glob(str(item), recursive=True))  # noqa: PTH207 - absolute patterns too
        return _only_photos(matches) or _refuse(f"pattern {str(item)!r} matches no photos")
    if not item.suffix:
        raise UserError(f"no file or folder {str(item)!r}; check the path")
    return [item]


def _only_photos(paths: Iterable[Path]) -> list[Path]:
    """Return the visible photo files; hidden ones are unfinished outputs or belong to the file system."""
    return [p for p in paths if p.suffix.lower() in PHOTO_SUFFIXES and p.name[0] != "." and p.is_file()]


def _refuse(reason: str) -> list[Path]:
    raise UserError(f"{reason} (files ending in {', '.join(PHOTO_SUFFIXES)})")


def pair_by_name(
    hr: Sequence[Path], lr: Sequence[Path], *, kinds: tuple[str, str] = ("HR", "LR"), in_order: bool = True
) -> list[tuple[Path, Path]]:
    """Return pairs (HR, LR) of files with equal stems; with `in_order`, if no stems are equal, in the order of names.

    Numbers in names are ordered as numbers: img_2 precedes img_10. Raises UserError for unequal counts, and if only
    some stems are equal; the message names the first file without a partner and calls the two sorts `kinds`.
    """
    hr, lr = sorted(hr, key=_natural), sorted(lr, key=_natural)
    hr_stems, lr_stems = {path.stem for path in hr}, {path.stem for path in lr}
    alone = [path for path in (*hr, *lr) if path.stem not in hr_stems & lr_stems]
    if len(hr) != len(lr) or (alone and (hr_stems & lr_stems or not in_order)):
        first = f"; first without a partner: {alone[0]}" if alone else ""
        raise UserError(
            f"{len(hr)} {kinds[0]} and {len(lr)} {kinds[1]} photos do not pair{first}; give both the same stems"
        )
    return list(zip(hr, lr, strict=True))


def _natural(path: Path) -> list[str | int]:
    parts = re.split(r"(\d+)", path.stem)
    return [int(part) if part.isdecimal() else part for part in parts]


def output_paths(inputs: Sequence[Path], folder: str | Path, suffix: str = ".png") -> list[Path]:
    """Return `folder/stem + suffix` for each input; inputs with equal stems keep their own suffix too: a_jpg.png.

    Raises UserError if an output would overwrite an input, or two inputs would still have the same output.
    """
    count = Counter(path.stem for path in inputs)
    names = [p.stem if count[p.stem] == 1 else f"{p.stem}_{p.suffix[1:].lower()}" for p in inputs]
    outputs = [Path(folder) / (name + suffix) for name in names]
    sources = {path.resolve() for path in inputs}
    for path, output in zip(inputs, outputs, strict=True):
        if outputs.count(output) > 1:
            raise UserError(f"{path} and another input would both become {output}; run them one by one")
        if output.resolve() in sources:
            raise UserError(f"{output} would overwrite an input; choose another output folder")
    return outputs
