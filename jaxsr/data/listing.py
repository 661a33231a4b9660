"""Which files are photos, and which of them are pairs; output_names.py says where their outputs go."""

import dataclasses
import glob
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from jaxsr.data.codecs.photo_formats import PHOTO_SUFFIXES
from jaxsr.data.stores.object_stores import files_named
from jaxsr.data.stores.store_paths import in_store, shown, store_path
from jaxsr.support.errors import UserError
from jaxsr.support.messages import complain, first_few
from jaxsr.support.paths import (
    exists,
    files_below,
    folders_below,
    is_address,
    is_file,
    is_folder,
    is_hidden,
    real_path,
    tidy_path,
    user_path,
)

NamedFiles: TypeAlias = dict[Path, tuple[Path, Path]]  # absolute path -> the file, and its place below the input's root

MAX_NAMED = 5  # files, or suffixes, that a line names


@dataclasses.dataclass(frozen=True)
class Listing:
    """What users' paths name.

    Attributes:
        photos: the photos, sorted, each with its path below the folder or pattern that it was found by.
        left_out: the other visible files in those folders.
    """

    photos: dict[Path, Path]
    left_out: list[Path]


def list_photos(inputs: Sequence[str | Path]) -> list[Path]:
    """Return the photos that `inputs` name, as `find_photos` does, sorted."""
    return list(find_photos(inputs).photos)


def list_in_order(inputs: Iterable[str | Path]) -> tuple[Path, ...]:
    """Return the photos that each of `inputs` names, as `list_photos` does, one input after another."""
    return tuple(path for item in inputs for path in list_photos([item]))


def find_photos(
    inputs: Sequence[str | Path],
    *,
    recursive: bool = False,
    without: str | Path | None = None,
    stores: bool = False,
) -> Listing:
    """Return the photos that `inputs` name, each once, and what else is in their folders.

    A folder stands for the photos directly in it, or with `recursive` for those in its folders too (links are followed,
    see `files_below`), but for the folder `without`; a pattern (`**` too) for those it matches; all by PHOTO_SUFFIXES.
    A file named explicitly is kept whatever its suffix, even if it does not exist, so that it is reported with other
    unreadable photos. Raises UserError for no inputs, for a folder or a pattern without photos, and for a name without
    a suffix that is neither file nor folder. With `stores` an input may be an address such as s3://bucket/photos, of a
    folder, file or pattern; its photos are the paths of data/stores/store_paths.py.
    """
    if not inputs:
        raise UserError("no photos given; name files, folders or patterns such as 'photos/*.png'")
    skip = None if without is None else Path(without)
    photos: NamedFiles = {}
    left_out: set[Path] = set()
    for item in inputs:
        path = store_path(str(item)) if stores and is_address(item) else user_path(item)
        if stores and in_store(path):
            root, files = files_named(path, recursive=recursive, without=skip)
        else:
            root, files = files_of(path, recursive, skip and skip.resolve())
        found = [file for file in files if file == path or file.suffix.lower() in PHOTO_SUFFIXES]
        if not found:
            raise UserError(_without_photos(path))
        add_named(photos, root, found)
        left_out |= set(files) - set(found)
    return Listing(dict(sorted(photos.values())), sorted(left_out))


def _without_photos(path: Path) -> str:
    """Return what is wrong with a folder or a pattern `path` without photos, and where photos may be instead."""
    suffixes = f"no photos (files ending in {', '.join(PHOTO_SUFFIXES)})"
    if glob.has_magic(str(path)) and not is_folder(path):
        brackets = "; of a name that has brackets, write [ as [[]" if "[" in str(path) else ""
        return f"pattern {shown(path)!r} matches {suffixes}{brackets}"
    below_it = () if in_store(path) else path.glob("*/*")
    inside = sorted({file.parent.name for file in below_it if file.suffix.lower() in PHOTO_SUFFIXES})
    elsewhere = f"; name one of its folders that do: {first_few(inside, most=MAX_NAMED)}" if inside else ""
    return f"folder {shown(path)} holds {suffixes}{elsewhere}"


def add_named(named: NamedFiles, root: Path, files: Iterable[Path]) -> None:
    """Add `files`, which an input with that `root` names; one that is there by whatever spelling stays."""
    for file in files:
        path = tidy_path(file)
        named.setdefault(path.absolute(), (path, below(root, file)))


def is_data_set(folder: str | os.PathLike) -> bool:
    """Return whether `folder` holds a data set of `python -m jaxsr.prepare_data`."""
    return is_file(Path(folder) / "dataset_info.json")


def name_left_out(files: Sequence[Path]) -> None:
    """Print a line about the files that are no photos, if there are any."""
    if files:
        complain(left_out_line(files))


def left_out_line(files: Sequence[Path]) -> str:
    """Return a line that counts the files that are no photos, by suffix, and names the first of them."""
    kinds = Counter(file.suffix.lower() or "without suffix" for file in files)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(MAX_NAMED))
    names = ", ".join(file.name for file in files[:MAX_NAMED]) + (", ..." if len(files) > MAX_NAMED else "")
    return f"left out {len(files)}, no photos of a known format ({counts}): {names}"


def files_of(item: Path, recursive: bool, excluded: Path | None) -> tuple[Path, list[Path]]:
    """Return the folder below which the files lie that `item` names, and these; a folder's own, or `recursive` all.

    Those in the folder `excluded`, an absolute path, are left out. Raises UserError for a name that is neither file nor
    folder and has no suffix.
    """
    if is_folder(item):
        return item, _visible(files_below(item) if recursive else item.iterdir(), item, excluded)
    if is_file(item):
        return item.parent, [item]
    if exists(item):  # reading it could wait for ever
        raise UserError(f"{item} is neither a file nor a folder but a pipe or a device; save the photo as a file")
    if glob.has_magic(str(item)):
        fixed = itertools.takewhile(lambda part: not glob.has_magic(part), item.parts)
        root = Path(*fixed)
        return root, _visible(_matches(item), root, excluded)
    if not item.suffix:
        raise UserError(f"no file or folder {str(item)!r}; check the path")
    return item.parent, [item]


def _matches(pattern: Path) -> Iterator[Path]:
    """Yield what `pattern` matches; `**` stands for a folder and those below it, as `folders_below` finds them."""
    if "**" not in pattern.parts:
        yield from map(Path, glob.glob(str(pattern)))  # noqa: PTH207 - absolute patterns too
        return
    at = pattern.parts.index("**")
    rest = Path(*pattern.parts[at + 1 :] or "*")
    for start in _matches(Path(*pattern.parts[:at])):
        for folder, _ in folders_below(start):
            yield from _matches(Path(glob.escape(str(folder))) / rest)


def below(root: Path, file: Path) -> Path:
    """Return the path of `file` below `root`, or its name where a pattern leads out of that."""
    relative = os.path.relpath(file, root)
    return Path(file.name if relative.startswith(os.pardir + os.sep) else relative)


def _visible(paths: Iterable[Path], root: Path, excluded: Path | None) -> list[Path]:
    """Return the visible files below `root`; hidden ones are unfinished outputs or belong to the file system.

    Links that lead nowhere are among them, so that they are reported with other unreadable photos, not passed over.
    Those in the folder `excluded` are left out, by whatever link they are reached, unless `root` lies in it, too.
    """
    if excluded is not None and _lies_in(root, excluded):
        excluded = None
    return [
        path
        for path in paths
        if not is_hidden(below(root, path))
        and (path.is_file() or (path.is_symlink() and not exists(path)))
        and (excluded is None or not _lies_in(path.parent, excluded))
    ]


def _lies_in(folder: Path, above: Path) -> bool:
    """Return whether `folder`, its links followed, is `above` or lies in it."""
    real = real_path(folder)
    return above in (real, *real.parents)


def pair_by_name(
    hr: Sequence[Path], lr: Sequence[Path], *, kinds: tuple[str, str] = ("HR", "LR"), in_order: bool = True
) -> list[tuple[Path, Path]]:
    """Return pairs (HR, LR) of files with equal stems; with `in_order`, if no stems are equal, in the order of names.

    Numbers in names are ordered as numbers: img_2 precedes img_10. Raises UserError for unequal counts, also of the
    files of one stem, and if only some stems are equal; the message names the first file without a partner and calls
    the two sorts `kinds`.
    """
    hr, lr = sorted(hr, key=_natural), sorted(lr, key=_natural)
    hr_stems, lr_stems = (Counter(path.stem for path in paths) for paths in (hr, lr))
    alone = [path for path in (*hr, *lr) if hr_stems[path.stem] != lr_stems[path.stem]]
    if len(hr) != len(lr) or (alone and (hr_stems & lr_stems or not in_order)):
        first = f"; first without a partner: {alone[0]}" if alone else ""
        raise UserError(
            f"{len(hr)} {kinds[0]} and {len(lr)} {kinds[1]} photos do not pair{first}; give both the same stems"
        )
    return list(zip(hr, lr, strict=True))


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Return what orders files by their stems; 1 and 01, equal as numbers, have the same order everywhere."""
    parts = re.split(r"(\d+)", path.stem)
    return [int(part) if part.isdecimal() else part for part in parts], path.stem
