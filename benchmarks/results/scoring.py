"""Scores of all weights on all sets, photo by photo; what the record holds already is not scored again."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.results.contestants import Contestant
from benchmarks.results.photo_sets import PhotoSet, is_scored_on
from benchmarks.results.record import Record, Row, add_photo, complete
from benchmarks.timing import hardware
from jaxsr.evaluation.naturalness import niqe_of_image
from jaxsr.evaluation.pairs import Pair
from jaxsr.evaluation.scores import default_protocol, score_image, score_pair
from jaxsr.evaluation.sources import Source
from jaxsr.models import Model
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import warm_up
from jaxsr.restoration.reference.preparation import load_for_matching, read_references
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.support.errors import FAILURES, UserError
from jaxsr.support.messages import one_line, say
from jaxsr.support.types import Json

MAX_REASON = 200  # characters of why a row failed
UNROUNDED = RestoreOptions(quantize=False)
# Those of the systems beside it
BICUBIC_PROTOCOLS = {**dict.fromkeys(("Gaussian8", "DIV2KRK", "Real14", "views"), "y"), "GoPro": "rgb"}
Scores = dict[str, Json]  # of a photo
Score = Callable[[Source, Pair], Scores]


class Task(NamedTuple):
    """Weights to score on a set at a scale."""

    contestant: Contestant
    photo_set: PhotoSet
    scale: int


def tasks_of(
    contestants: Sequence[Contestant], sets: Mapping[str, PhotoSet], skipped: dict[str, str]
) -> Iterator[Task]:
    """Yield what is to score, set by set, small systems first; why a set cannot be read is added to `skipped`."""
    for name, photo_set in sets.items():
        for scale in photo_set.scales:
            served = [each for each in contestants if scale in each.scales and is_scored_on(each.system, name)]
            if all(each.model is None for each in served):
                continue  # bicubic alone is no comparison
            try:
                photo_set.digest(scale)
            except FAILURES as error:
                skipped[f"{name} x{scale}"] = one_line(error, MAX_REASON)
                continue
            yield from (Task(each, photo_set, scale) for each in served)


def score_task(task: Task, record: Record, *, vgg: Path | None = None, seconds: float = math.inf) -> Row:
    """Score what the record lacks of a task, and return its row; whatever fails is its "failure".

    After `seconds` no further photo is begun; the next run goes on.
    """
    row = record.row(facts_of(task))
    if row["complete"]:
        return row
    row.pop("failure", None)
    row["machine"] = " and ".join({**dict.fromkeys([row["machine"]] if "machine" in row else []), hardware(): None})
    try:
        if _score_photos(task, row, record, vgg, time.monotonic() + seconds):
            complete(row)
    except Exception as error:  # one system that fails, in whatever way, is no reason to lose the others
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        row["failure"] = one_line(f"{kind}{error}", MAX_REASON)
    record.write()
    return row


def _score_photos(task: Task, row: Row, record: Record, vgg: Path | None, end: float) -> bool:
    """Score the photos that `row` lacks, writing the record after each; return whether all were done before `end`."""
    model, photo_set = task.contestant.at_scale(task.scale), task.photo_set
    score = _bicubic(row["protocol"]) if model is None else _network(model, row["protocol"], task, vgg)
    done = {photo["name"] for photo in row["photos"]}
    for source in photo_set.sources(task.scale):
        for pair in source.pairs(task.scale, photo_set.options):
            if pair.name in done:
                continue
            if time.monotonic() > end:
                return False
            row["made"] = pair.resizer
            add_photo(row, {"name": pair.name, **score(source, pair)})
            record.write()
    return True


def facts_of(task: Task) -> dict[str, Json]:
    """Return what identifies the row of a task, and what its scores depend on."""
    contestant, name = task.contestant, task.photo_set.name
    model = contestant.model
    protocol = BICUBIC_PROTOCOLS.get(name, "y8") if model is None else default_protocol(model)
    return {
        "system": contestant.system,
        "weights": contestant.kind,
        "name": contestant.name,
        "set": name,
        "scale": task.scale,
        "protocol": protocol,
        "parameters": contestant.parameters,
        "digest": contestant.digest,
        "data": task.photo_set.digest(task.scale),
        "count": task.photo_set.count(task.scale),
    }


def _bicubic(protocol: str) -> Score:
    """Return the function that scores the enlargement of a pair, or the blurred photo itself."""

    def score(source: Source, pair: Pair) -> Scores:
        began = time.perf_counter()
        enlarged = pair.enlarged
        seconds = time.perf_counter() - began
        row = score_image(pair, enlarged, [protocol], luma_only=True, seconds=seconds)[protocol]
        return {**row.scores, "niqe": _niqe(enlarged), "seconds": row.seconds}

    return score


def _network(model: Model, protocol: str, task: Task, vgg: Path | None) -> Score:
    """Return the function that restores and scores a pair, and times it without compiling."""
    sources = task.photo_set.sources(task.scale)
    cache = TileCache([size for source in sources if (size := source.lr_size(task.scale))])
    shared, compiled = UNROUNDED, set()
    if "reference" in model.needs:
        shared = dataclasses.replace(shared, vgg=load_for_matching(vgg or ""))

    def score(source: Source, pair: Pair) -> Scores:
        references = read_references(source.references)
        options = dataclasses.replace(shared, reference=references) if references else shared
        shapes = (pair.lr.shape, *(x.shape for x in references))
        if shapes not in compiled:
            warm_up(model, pair.lr, options, cache)
            compiled.add(shapes)
        restored, rows = score_pair(model, pair, [protocol], options, cache=cache)
        return {**rows[protocol].scores, "niqe": _niqe(restored), "seconds": rows[protocol].seconds}

    return score


def _niqe(image: np.ndarray) -> float | None:
    """Return NIQE of an image, None for one that is too small."""
    try:
        return niqe_of_image(image)
    except UserError:
        return None


def tell(row: Row) -> None:
    """Print a line on what is done of a row."""
    what = f"{row['set']} x{row['scale']} {row['name']} ({row['weights']})"
    if "failure" in row or not row["photos"]:
        say(f"{what}: {row.get('failure', 'nothing scored so far')}")
        return
    what += "" if row["complete"] else f", {len(row['photos'])} of {row['count']} photos"
    mean = row["mean"]
    niqe = "" if mean["niqe"] is None else f", NIQE {mean['niqe']:.2f}"
    say(f"{what}: {mean['psnr']:.2f} dB, SSIM {mean['ssim']:.4f}{niqe}, {mean['seconds']:.3g} s a photo")
