"""Which HR photo goes with which LR photo or reference, by names as data sets have them: 0001 with 0001x2."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from jaxsr.data.listing import list_photos, pair_by_name
from jaxsr.support.errors import UserError
from jaxsr.support.paths import is_file

# At the end of a name, also several of them: x2, X2 and DIV2K's x4m and x4w1 of the scale in question; LR (also LRBI,
# LRBD and LRDN), HR, GT, SR, blur, sharp and bicubic behind a separator; LR, HR and GT in capitals without one.
MARKS = (
    r"(?:[ _.-]?[xX]{scale}(?:m|d|w\d?)?|[ _.-](?i:lr(?:bi|bd|dn)?|hr|gt|sr|blur|sharp|bicubic)|"
    r"(?<=[0-9a-z])(?:LR|HR|GT))$"
)


def base_name(path: str | Path, scale: int) -> str:
    """Return a photo's name without suffix, and without MARKS at its end: 0001 for 0001x2.png and 0001_LR_x2.png."""
    pattern, stem = MARKS.replace("{scale}", str(scale)), Path(path).stem
    while shorter := re.sub(pattern, "", stem):
        if shorter == stem:
            break
        stem = shorter
    return stem


def pair_by_base_name(hr: Sequence[Path], lr: Sequence[Path], scale: int) -> list[tuple[Path, Path]]:
    """Return pairs (HR, LR) of files: by equal names, else by equal `base_name`, else as `pair_by_name` does in order.

    Raises UserError where only some files find a partner, several would share one, or names contradict the order.
    """
    if {path.stem for path in hr} == {path.stem for path in lr}:
        return pair_by_name(hr, lr)
    bases = by_base_name(hr, scale), by_base_name(lr, scale)
    if not bases[0].keys() & bases[1].keys():
        return _in_order(hr, lr, scale)
    for names in bases:
        shared = next((paths for paths in names.values() if len(paths) > 1), None)
        if shared:
            raise UserError(
                f"{shared[0]} and {shared[1]} go with the same photo by their names; rename one, or move it away"
            )
    alone = [bases[i][name][0] for i in (0, 1) for name in bases[i] if name not in bases[1 - i]]
    if alone:
        raise UserError(
            f"{len(hr)} HR and {len(lr)} LR photos do not pair; first without a partner: {alone[0]}; give both the "
            f"same stems, or LR photos those of HR photos with x{scale} or LR at the end"
        )
    return [(paths[0], bases[1][name][0]) for name, paths in bases[0].items()]


def _in_order(hr: Sequence[Path], lr: Sequence[Path], scale: int) -> list[tuple[Path, Path]]:
    """Return pairs in the order of names; raises UserError where an LR name begins with another HR photo's."""
    pairs = pair_by_name(hr, lr)
    for own, lr_file in pairs:
        named = [path for path in hr if _begins_with(lr_file.stem, base_name(path, scale))]
        if named and own not in named:
            raise UserError(
                f"{lr_file} goes with {own} in the order of names, but is called after {named[0]}; give both the same "
                "stems"
            )
    return pairs


def _begins_with(stem: str, name: str) -> bool:
    """Return whether `stem` is `name`, or goes on behind it with a separator: a_small after a, but not apple."""
    return stem.startswith(name) and not stem[len(name) :][:1].isalnum()


def by_base_name(paths: Iterable[Path], scale: int) -> dict[str, list[Path]]:
    """Return {base name: files}."""
    names: dict[str, list[Path]] = {}
    for path in paths:
        names.setdefault(base_name(path, scale), []).append(path)
    return names


def references_of(photos: Sequence[Path], references: Sequence[str | Path]) -> list[tuple[Path, ...]]:
    """Return the references of each photo: files are for all; so is what a folder or pattern holds, unless by name.

    Where a photo of the folder or pattern has the stem of one of `photos`, all go by their stems. Raises UserError for
    a photo that then has none, and as `list_photos` does.
    """
    shared, named = [], []
    for reference in references:
        path = Path(reference).expanduser()
        (shared if is_file(path) else named).extend(list_photos([path]))
    by_stem: dict[str, list[Path]] = {}
    for path in named:
        by_stem.setdefault(path.stem, []).append(path)
    stems = [photo.stem for photo in photos]
    if not by_stem.keys() & set(stems):
        return [(*shared, *named)] * len(photos)
    alone = next((photo for photo in photos if photo.stem not in by_stem), None)
    if alone is not None and not shared:
        raise UserError(f"{alone} has no reference of its name, and others have; add one named {alone.stem}.png")
    return [(*shared, *by_stem.get(stem, ())) for stem in stems]
