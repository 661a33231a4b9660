"""One rule for the names of outputs: the tree of the inputs, and no two inputs with one output."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from jaxsr.data.stores.store_paths import place_of, shown
from jaxsr.support.errors import UserError
from jaxsr.support.messages import one_line


def output_paths(
    photos: Collection[Path] | Mapping[Path, Path],
    folder: str | Path,
    suffix: str | Callable[[Path], str] = ".png",
) -> list[Path]:
    """Return where the output of each of `photos` goes: `folder/NAME + suffix`, where no two NAMEs are the same.

    Args:
        photos: the inputs. A mapping gives each its path below what the user named, as `find_photos` does; without, it
            is the file's name.
        folder: of the outputs.
        suffix: of all outputs, or a function from an input to that of its output.

    Returns:
        The path of the input below what the user named, with the suffix in place of its own. Inputs whose outputs would
        be the same keep the folders in which they differ, x/0001.png beside y/0001.png, and those of one folder their
        own suffix, a_jpg.png beside a_png.png. A name that is still taken gets a number.

    Raises:
        UserError: if the folder holds an input, or an output would be one.
    """
    names = photos if isinstance(photos, Mapping) else {path: Path(path.name) for path in photos}
    suffix_of = suffix if callable(suffix) else lambda _: suffix
    outputs = [Path(folder) / _longer(stem, suffix_of(path)) for path, stem in output_stems(names).items()]
    check_inputs(list(names), Path(folder), outputs)
    return outputs


def shown_names(paths: Collection[Path]) -> dict[Path, str]:
    """Return the name to show of each of `paths`: the file's, with the folders in which files of one name differ."""
    names = {path: Path(path.name) for path in paths}
    for group in _equal(names):
        common = os.path.commonpath([path.absolute().parent for path in group])
        names |= {path: Path(os.path.relpath(path.absolute(), common)) for path in group}
    return {path: one_line(name.as_posix()) for path, name in names.items()}


def output_stems(names: Mapping[Path, Path]) -> dict[Path, Path]:
    """Return what `output_paths` puts before the suffix for each of the inputs, with its path below what was named."""
    stems = {path: name.with_suffix("") for path, name in names.items()}
    for group in _equal(stems):
        common = os.path.commonpath([path.absolute().parent for path in group])
        stems |= {path: Path(os.path.relpath(path.absolute().with_suffix(""), common)) for path in group}
    for group in _equal(stems):
        stems |= {path: _longer(stems[path], f"_{path.suffix[1:].lower()}") for path in group}
    _number(stems, names)
    return stems


def _equal(stems: Mapping[Path, Path]) -> list[list[Path]]:
    """Return the inputs that have the same stem, group by group."""
    groups: dict[Path, list[Path]] = {}
    for path, stem in stems.items():
        groups.setdefault(stem, []).append(path)
    return [group for group in groups.values() if len(group) > 1]


def _longer(name: Path, more: str) -> Path:
    """Return `name` with `more` after it; names may have dots of their own."""
    return name.with_name(name.name + more)


def _number(stems: dict[Path, Path], names: Mapping[Path, Path]) -> None:
    """Give numbers to those of `stems` that are taken; the names that nothing was added to come first."""
    taken: set[Path] = set()
    for path in sorted(stems, key=lambda path: (stems[path] != names[path].with_suffix(""), path)):
        stem, number = stems[path], 2
        while stems[path] in taken:
            stems[path], number = _longer(stem, f"_{number}"), number + 1
        taken.add(stems[path])


def check_inputs(inputs: Iterable[Path], folder: Path, outputs: Iterable[Path] = ()) -> None:
    """Raise UserError if `folder` is that of an input, or one of `outputs` would overwrite one."""
    sources = {place_of(path): path for path in inputs}
    folders = {source.parent: path for source, path in sources.items()}
    if there := folders.get(place_of(folder)):
        raise UserError(
            f"the output folder {shown(folder)} is that of the input {shown(there)}; choose another output folder"
        )
    for output in outputs:
        if there := sources.get(place_of(output)):
            raise UserError(f"{shown(output)} would overwrite the input {shown(there)}; choose another output folder")
