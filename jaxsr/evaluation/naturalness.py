"""NIQE beside the other scores of photos, and of photos alone that nothing is known of."""

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxsr.data.images import read_pixels
from jaxsr.data.listing import find_photos
from jaxsr.evaluation.pairs import Pair
from jaxsr.evaluation.restored_files import without_beside
from jaxsr.evaluation.scores import Row
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.pixels import to_float
from jaxsr.metrics.niqe import BLOCK, MIN_BLOCKS, check_niqe_size, niqe
from jaxsr.support.errors import FAILURES, UserError, failure_line
from jaxsr.support.messages import one_line
from jaxsr.support.types import Json, Progress

LEGEND = "NIQE: no reference, lower is better; luma rounded to 8 bits, whole photo in blocks of 96x96"


class Naturalness(NamedTuple):
    """NIQE of each photo by name, and a line for each that failed."""

    photos: Mapping[str, float]
    failures: Sequence[str]

    @property
    def mean(self) -> float:
        """The mean over the photos."""
        return float(np.mean(list(self.photos.values())))

    def record(self) -> dict[str, Json]:
        """Return the JSON form: {"mean": {"niqe"}, "images": [{"name", "niqe"}]}."""
        return {
            "mean": {"niqe": self.mean},
            "images": [{"name": name, "niqe": value} for name, value in self.photos.items()],
        }

    def table(self) -> str:
        """Return the lines of a table: photos, their mean, and how the numbers were made."""
        count = len(self.photos)
        mean = f"mean of {count}" + (f" of {count + len(self.failures)}" if self.failures else "")
        rows = {**{one_line(name): value for name, value in self.photos.items()}, mean: self.mean}
        width = max(map(len, rows))
        return "\n".join(
            [f"{'':{width}}    NIQE", *(f"{name:{width}}  {value:6.2f}" for name, value in rows.items()), LEGEND]
        )


def niqe_of_folder(folder: str | Path, progress: Progress | None = None) -> Naturalness:
    """Return NIQE of each photo in `folder` and below; raises UserError where there is none that can be scored.

    What `restore` writes beside a photo is left out: pictures of kernels and matches, and images of rounds.
    """
    files = without_beside(find_photos([folder], recursive=True).photos)
    stems = Counter(name.with_suffix("") for name in files.values())
    photos, failures = {}, []
    for done, (path, name) in enumerate(files.items(), start=1):
        try:
            shown = name if stems[name.with_suffix("")] > 1 else name.with_suffix("")
            photos[shown.as_posix()] = _judged(to_float(read_pixels(path)))
        except FAILURES as error:
            failures.append(failure_line(path, error))
        if progress is not None:
            progress(done, len(files))
    if not photos:
        raise UserError(failures[0])
    return Naturalness(photos, failures)


def niqe_of_image(image: np.ndarray) -> float:
    """Return NIQE of an `image` (H, W, C), rounded to 8 bits first as it would be saved."""
    return _judged(round_to_levels(image.astype(np.float32)))


def _judged(image: np.ndarray) -> float:
    """Return NIQE of an `image` (H, W, C); raises UserError for a flat one, whose NaN would become the mean."""
    value = float(niqe(image))
    if math.isnan(value):
        raise UserError(
            f"has no texture to judge: NIQE needs {MIN_BLOCKS} blocks of {BLOCK}x{BLOCK} that are not flat; leave this "
            f"photo or NIQE out"
        )
    return value


def check_pair_size(pair: Pair) -> None:
    """Raise UserError, before the work of restoring it, where the photo of `pair` is too small for NIQE."""
    try:
        check_niqe_size(pair.hr_levels.shape)
    except UserError as error:
        raise UserError(f"{pair.name}: {error}") from None


def with_niqe(rows: Mapping[str, Row], pair: Pair, restored: np.ndarray) -> dict[str, Row]:
    """Return `rows` with "niqe" among the scores of the `restored` photo (H, W, C), and of the baseline.

    Raises UserError where one of the two is flat.
    """
    try:
        own, baseline = niqe_of_image(restored), niqe_of_image(pair.enlarged)
    except UserError as error:
        raise UserError(f"{pair.name}: {error}") from None
    return {
        name: dataclasses.replace(row, scores={**row.scores, "niqe": own}, baseline={**row.baseline, "niqe": baseline})
        for name, row in rows.items()
    }
