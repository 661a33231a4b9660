"""Scores of all weights on all sets, photo by photo; what the record holds already is not scored again."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.results.contestants import BICUBIC, Contestant
from benchmarks.results.photo_scores import Score, by_bicubic, by_network, by_zssr
from benchmarks.results.photo_sets import PhotoSet, is_scored_on
from benchmarks.results.record import Record, Row, add_photo, complete
from benchmarks.timing import hardware
from jaxsr.evaluation.scores import default_protocol
from jaxsr.support.errors import FAILURES, UserError
from jaxsr.support.messages import one_line, say
from jaxsr.support.types import Json

MAX_REASON = 200  # characters of why a row failed
# Those of the systems beside it
BICUBIC_PROTOCOLS = {**dict.fromkeys(("Gaussian8", "DIV2KRK", "Real14", "views"), "y"), "GoPro": "rgb"}


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
            if all(each.kind == BICUBIC for each in served):
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
    photo_set, score = task.photo_set, _score_of(task, row["protocol"], vgg)
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


def _score_of(task: Task, protocol: str, vgg: Path | None) -> Score:
    """Return the function that restores and scores a pair."""
    if task.contestant.zssr is not None:
        return by_zssr(task.contestant.zssr, protocol)
    model = task.contestant.at_scale(task.scale)
    return by_bicubic(protocol) if model is None else by_network(model, protocol, task.photo_set, vgg)


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
