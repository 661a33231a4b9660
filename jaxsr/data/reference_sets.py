"""Folders of HR photos with reference photos of decreasing similarity, in the layouts that are in use."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from absl import logging

from jaxsr.data.listing import MAX_NAMED, PHOTO_SUFFIXES
from jaxsr.support.errors import UserError
from jaxsr.support.paths import is_hidden

# The path of a photo in the folder, without suffix: its name and, for a reference, its level
LAYOUTS = {
    "NAME_0.png, NAME_1.png, ... (CUFED5)": re.compile(r"(?P<name>[^/]+)_(?:0|(?P<level>[1-9]\d*))"),
    "hr/NAME.png, ref1/NAME.png, ...": re.compile(r"(?:hr|ref(?P<level>[1-9]\d*))/(?P<name>[^/]+)"),
    "NAME/hr.png, NAME/ref1.png, ...": re.compile(r"(?P<name>[^/]+)/(?:hr|ref(?P<level>[1-9]\d*))"),
}
ALL = "all"


@dataclass(frozen=True)
class Group:
    """An HR photo and its references by level; level 1 is the most similar."""

    name: str
    hr: Path
    references: Mapping[int, Path]

    def at(self, level: str) -> list[Path]:
        """Return the references of `level`, a number or "all"; raises UserError if there are none."""
        if level == ALL:
            return [self.references[number] for number in sorted(self.references)]
        if not level.isdecimal() or int(level) not in self.references:
            known = ", ".join(map(str, sorted(self.references)))
            raise UserError(f"{self.hr} has no reference of level {level!r}; choose one of: {known}, {ALL}")
        return [self.references[int(level)]]


def read_groups(folder: str | Path) -> list[Group]:
    """Return the groups of `folder`, ordered by name, in the first of LAYOUTS in which an HR photo has a reference.

    HR photos without references, and references without an HR photo, are left out and named in a warning. Raises
    UserError if no layout fits, and for two photos in the place of one, such as a_0.png beside a_0.jpg.
    """
    folder = Path(folder)
    files = sorted(path for path in (*folder.glob("*"), *folder.glob("*/*")) if path.suffix.lower() in PHOTO_SUFFIXES)
    for layout in LAYOUTS.values():
        groups: dict[str, dict[int, list[Path]]] = {}
        for path in files:
            below = path.relative_to(folder)
            if not is_hidden(below) and (match := layout.fullmatch(below.with_suffix("").as_posix())):
                groups.setdefault(match["name"], {}).setdefault(int(match["level"] or 0), []).append(path)
        complete = [
            _group_of(name, levels) for name, levels in sorted(groups.items()) if 0 in levels and len(levels) > 1
        ]
        if complete:
            _warn_left_out(folder, sorted(groups.keys() - {group.name for group in complete}))
            return complete
    raise UserError(
        f"{folder} holds no HR photos with references; name them in one of these ways: {'; '.join(LAYOUTS)}"
    )


def _group_of(name: str, levels: Mapping[int, list[Path]]) -> Group:
    """Return the group of the files at each of `levels`, of which 0 is the HR photo's; raises UserError for several."""
    for files in levels.values():
        if len(files) > 1:
            raise UserError(f"{files[0]} and {files[1]} are one photo by their names; rename one, or move it away")
    return Group(name, levels[0][0], {level: files[0] for level, files in levels.items() if level})


def _warn_left_out(folder: Path, names: list[str]) -> None:
    """Warn in one line of the photos `names` in `folder` that have no partner."""
    if names:
        shown = ", ".join(names[:MAX_NAMED]) + (", ..." if len(names) > MAX_NAMED else "")
        logging.warning("%s: left out %d without an HR photo or without references: %s", folder, len(names), shown)
