"""How well detections on restored photos agree with those on the sharp photos, which count as true.

Source: Kupyn et al., "DeblurGAN", CVPR 2018, section 6.3; files in COCO's formats, Lin et al., ECCV 2014.
"""

import dataclasses
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxsr.support.errors import UserError
from jaxsr.support.types import Json

Id = int | str  # of an image or a category
Place = tuple[Id, Id]  # image and category


class Detection(NamedTuple):
    """A `box` (left, top, width, height) in pixels, and how sure the detector is of it."""

    box: tuple[float, float, float, float]
    score: float


@dataclasses.dataclass(frozen=True)
class Detections:
    """What a file holds: detections by image and category, the images it knows of, and the categories' names.

    `images` is None for a list of results, which does not say on which photos nothing was found.
    """

    by_place: Mapping[Place, Sequence[Detection]]
    images: frozenset[Id] | None
    names: Mapping[Id, str]


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How many detections were right, how many there were on restored photos, and how many on sharp ones."""

    right: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        """The share of the detections found that are right, 0 where there are none."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of the true detections that were found, 0 where there are none."""
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.right / (self.found + self.true) if self.found + self.true else 0.0

    def record(self) -> dict[str, float]:
        """Return the JSON form."""
        ratios = {name: getattr(self, name) for name in ("precision", "recall", "f1")}
        return {**ratios, **dataclasses.asdict(self)}


def read_detections(path: str | Path) -> Detections:
    """Return the detections in a JSON file: COCO's list of results, or its dictionary of images and annotations.

    Each is {"image_id", "category_id", "bbox": [left, top, width, height], "score"}; annotations may lack the score,
    which is then 1. Raises UserError for a missing or broken file, and one that lacks keys or names unknown images.
    """
    try:
        content = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the detections {path} ({error.strerror}); check the path") from None
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); give detections in COCO's format") from None
    whole = isinstance(content, dict)
    if not whole:
        content = {"annotations": content}
    elif not ("annotations" in content and "images" in content):
        raise UserError(f"{path} lacks 'annotations' or 'images'; give COCO's dictionary, or its list of results")
    try:
        images = frozenset(image["id"] for image in content["images"]) if whole else None
        names = {row["id"]: str(row["name"]) for row in content.get("categories", [])}
        rows = list(enumerate(content["annotations"]))
    except (TypeError, KeyError) as error:
        raise UserError(f"{path} is not in COCO's format ({error}); images have an id, categories a name") from None
    by_place = defaultdict(list)
    for i, row in rows:
        place, detection = _parsed(f"{path}, detection {i}", row, scored=not whole)
        if images is not None and place[0] not in images:
            raise UserError(f"{path}, detection {i}: its image_id {place[0]!r} is not among the file's images; fix it")
        by_place[place].append(detection)
    return Detections(dict(by_place), images, names)


def _parsed(what: str, row: Json, *, scored: bool) -> tuple[Place, Detection]:
    """Return where a row of a file belongs, and its detection."""
    keys = ("image_id", "category_id", "bbox", *(["score"] if scored else []))
    missing = [key for key in keys if not isinstance(row, dict) or key not in row]
    if missing:
        raise UserError(f"{what} lacks {', '.join(missing)}; COCO's results have image_id, category_id, bbox and score")
    try:
        left, top, width, height, score = map(float, (*row["bbox"], row.get("score", 1)))
        hash(place := (row["image_id"], row["category_id"]))
    except (TypeError, ValueError) as error:
        raise UserError(f"{what} is not in COCO's format ({error}); bbox is [left, top, width, height]") from None
    if not (math.isfinite(left + top + width + height + score) and min(width, height) >= 0):
        raise UserError(f"{what}: bbox={row['bbox']} with score={score} holds no finite numbers, or a negative side")
    return place, Detection((left, top, width, height), score)


def compare(restored: Detections, sharp: Detections, *, iou: float = 0.5, score: float = 0.0) -> dict[Id, Agreement]:
    """Return by category how `restored` agrees with `sharp`, where a box is right at an overlap of `iou` and more.

    Detections under `score` are left out of both. Raises UserError for bounds outside (0, 1] and [0, 1], for images
    that the sharp photos do not have, and where these have no detection.
    """
    if not (0 < iou <= 1 and 0 <= score <= 1):
        raise UserError(f"iou={iou} must lie in (0, 1] and score={score} in [0, 1]")
    _check_images(restored, sharp)
    kept = [_sure(detections.by_place, score) for detections in (restored, sharp)]
    if not any(kept[1].values()):
        raise UserError(f"the sharp photos have no detection with a score of {score} or more; lower --score")
    counts: dict[Id, list[Agreement]] = defaultdict(list)
    for place in dict.fromkeys([*kept[1], *kept[0]]):
        found, true = (boxes.get(place, []) for boxes in kept)
        counts[place[1]].append(Agreement(matches(found, true, iou=iou), len(found), len(true)))
    return {category: total(counts[category]) for category in sorted(counts, key=_order)}


def _order(category: Id) -> tuple[bool, Id]:
    return isinstance(category, str), category


def total(counts: Sequence[Agreement]) -> Agreement:
    """Return the sum of `counts`, whose ratios are then those over all detections (micro averages)."""
    return Agreement(*(sum(getattr(each, name) for each in counts) for name in ("right", "found", "true")))


def matches(found: Sequence[Detection], true: Sequence[Detection], *, iou: float) -> int:
    """Return how many of `found` are right: by falling score each takes the free box of `true` that it overlaps most.

    An overlap under `iou` is none.
    """
    overlap = overlaps([each.box for each in found], [each.box for each in true])
    order = np.argsort([-each.score for each in found], kind="stable")
    right = 0
    for i in order if len(true) else ():
        best = int(overlap[i].argmax())
        if overlap[i, best] >= iou:
            overlap[:, best] = -1  # taken
            right += 1
    return right


def overlaps(boxes: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> np.ndarray:
    """Return the areas of the intersections over those of the unions (N, M) of two lists of boxes; 0 for empty ones."""
    a, b = (np.array(list(x), np.float64).reshape(-1, 4) for x in (boxes, others))
    starts = np.maximum(a[:, None, :2], b[None, :, :2])
    ends = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    common = np.clip(ends - starts, 0, None).prod(axis=-1)
    union = a[:, None, 2:].prod(axis=-1) + b[None, :, 2:].prod(axis=-1) - common
    return common / np.where(union > 0, union, 1)


def table(rows: Sequence[tuple[str, Agreement]], *, iou: float, score: float) -> str:
    """Return the lines of `rows`, (name, counts), and how they were made."""
    width = max(len("category"), *(len(name) for name, _ in rows))
    lines = [f"{'category':{width}}  precision  recall     F1  found   true"]
    for name, x in rows:
        lines += [f"{name:{width}}  {x.precision:9.3f}  {x.recall:6.3f}  {x.f1:5.3f}  {x.found:5}  {x.true:5}"]
    return "\n".join(
        [*lines, f"right: overlap (IoU) of {iou:g} or more; scores of {score:g} or more; true: those on sharp photos"]
    )


def _sure(by_place: Mapping[Place, Sequence[Detection]], score: float) -> dict[Place, list[Detection]]:
    kept = {place: [each for each in boxes if each.score >= score] for place, boxes in by_place.items()}
    return {place: boxes for place, boxes in kept.items() if boxes}


def _check_images(restored: Detections, sharp: Detections) -> None:
    """Raise UserError unless the two are of the same photos, as far as they say."""
    seen, known = ({place[0] for place in detections.by_place} for detections in (restored, sharp))
    if sharp.images is not None and seen - sharp.images:
        unknown = min(seen - sharp.images, key=str)
        raise UserError(f"the restored photos' image_id {unknown!r} is unknown among the sharp ones; use equal ids")
    if seen and known and not seen & (known if sharp.images is None else sharp.images):
        raise UserError("no image_id occurs among both the restored and the sharp photos; use equal ids")
