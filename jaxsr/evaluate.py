"""Score a model: `python -m jaxsr.evaluate --model=NAME_OR_FILE --data=FOLDER --scale=3 [--protocol=y8,y,rgb]`.

With --restored=FOLDER instead of --model it scores photos that were restored before.

FOLDER holds HR photos, a paired set of `python -m jaxsr.degrade`, or blurred photos in blur and sharp ones in sharp
(GoPro's scenes too). LR photos are made from the HR photos by MATLAB's bicubic (unrounded, or with --quantize_lr as
8-bit files have them), or as --degradation says, or are read from --lr. A model of srntt takes texture from
--reference, or with --reference_level from FOLDER itself, whose files are NNN_0.png, the HR photos, and NNN_1.png to
NNN_5.png, their references (CUFED5). Every table ends with the mean, the baseline's mean (bicubic, or the blurred
photos themselves) and the protocol. Where a model estimates blur kernels and the true ones are known, the error of its
kernels has a column. --niqe adds how natural each photo looks without a reference (lower is better); with
--restored=FOLDER and no --data it is all that is scored. The seconds are those of restoring, without compiling.
--json=F saves {"protocol", "mean", "bicubic" (or "input", the blurred photos), "images"}, or a list of these for
several protocols.

With --detections=RESTORED.json,SHARP.json it compares what any detector finds on restored photos with what it finds on
the sharp ones: precision, recall and F1. Exit status 0: all done; 1: some photos failed, listed at the end; 2: wrong
usage.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.command_flags import evaluate_flags as given
from jaxsr.command_flags.refusals import refuse
from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.messages import complain, say
from jaxsr.support.paths import exists, output_file, real_path, user_path
from jaxsr.support.types import Json

if TYPE_CHECKING:
    from jaxsr.evaluation.scores import Scores

flags.adopt_module_key_flags(given)  # so that --help lists them


def main(arguments: Sequence[str]) -> int:
    """Score, print and save; return the exit status."""
    if arguments:
        raise UserError(f"unexpected argument {arguments[0]!r}; the folder of photos is --data")
    if given.DETECTIONS.value is not None:
        return compare_detections(given.DETECTIONS.value)
    refuse(given.OF_DETECTIONS, "a score of photos", "add --detections")
    if given.NIQE.value and given.RESTORED.value and given.DATA.value is None and given.MODEL.value is None:
        return judge_alone(given.RESTORED.value)
    given.check_subject()
    from jaxsr.api.scoring import evaluate, evaluate_restored  # after the flags: a typo is answered at once
    from jaxsr.support.progress import progress_bar

    failures: list[str] = []
    score, subject = (
        (evaluate, given.MODEL.value) if given.MODEL.value else (evaluate_restored, str(given.RESTORED.value))
    )
    _check_json()
    data = user_path(str(given.DATA.value))
    _name_left_out(data)
    with progress_bar([], "photo") as progress:
        scores = score(
            subject,
            data,
            scale=given.SCALE.value,
            options=given.evaluate_options(),
            progress=progress,
            on_failure=failures.append,
        )
    _report(scores, len(failures))
    for failure in failures:
        complain(failure)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _check_json(inputs: Sequence[str] = ()) -> None:
    """Raise UserError, before any work, unless the scores can be written, and over none of `inputs`, photos or sets."""
    from jaxsr.data.codecs.photo_formats import PHOTO_SUFFIXES, suffix_of
    from jaxsr.evaluation.paired_sets import LIST

    if given.JSON.value is None:
        return
    file = output_file(given.JSON.value, "--json")
    if real_path(file) in {real_path(user_path(item)) for item in inputs}:
        raise UserError(f"--json={file} would overwrite an input; choose another file")
    if exists(file) and (file.name == LIST or suffix_of(file) in PHOTO_SUFFIXES):
        kind = "the list of a paired set" if file.name == LIST else "a photo"
        raise UserError(f"--json={file} would overwrite {kind}; choose a name such as scores.json")


def _name_left_out(data: Path) -> None:
    """Print which files in the folder `data` of HR photos are no photos; those of a paired set are in its list."""
    from jaxsr.data.listing import find_photos, name_left_out
    from jaxsr.evaluation.paired_sets import is_set

    if not is_set(data):
        name_left_out(find_photos([data]).left_out)


def _report(scores: "Mapping[str, Scores]", failed: int) -> None:
    """Print the tables, and save the scores where --json says."""
    from jaxsr.evaluation.score_tables import table

    for each in scores.values():
        print(table(each, asked=len(each.rows) + failed))
    for references in {each.references for each in scores.values() if each.references}:
        say(f"references: {references}")
    if scores and given.JSON.value:
        write_scores(given.JSON.value, [each.record() for each in scores.values()])


def judge_alone(folder: str) -> int:
    """Score NIQE of the photos in `folder` by themselves, print the table and save it; return the exit status."""
    from jaxsr.evaluation.naturalness import niqe_of_folder
    from jaxsr.support.progress import progress_bar

    refuse(given.OF_PAIRS, "NIQE of --restored alone", "add --data")
    _check_json()
    with progress_bar([], "photo") as progress:
        scores = niqe_of_folder(user_path(folder), progress)
    print(scores.table())
    if given.JSON.value:
        write_scores(given.JSON.value, [scores.record()])
    for failure in scores.failures:
        complain(failure)
    return command_line.SOME_FAILED if scores.failures else command_line.DONE


def compare_detections(files: Sequence[str]) -> int:
    """Compare the detections of two `files`, print the table and save it; return the exit status."""
    from jaxsr.evaluation.detections import compare, read_detections, table, total

    if given.MODEL.value or given.RESTORED.value or given.DATA.value:
        raise UserError("--detections compares two files; leave out --model, --restored and --data")
    refuse((*given.OF_PAIRS, given.NIQE), "--detections", "score photos without --detections")
    if len(files) != 2:
        raise UserError(f"--detections takes RESTORED.json,SHARP.json; got {','.join(files)!r}")
    _check_json(files)
    restored, sharp = (read_detections(user_path(file)) for file in files)
    bounds = {"iou": given.IOU.value, "score": given.SCORE.value}
    by_category = compare(restored, sharp, **bounds)
    names = {**{id_: str(id_) for id_ in by_category}, **restored.names, **sharp.names}
    rows, overall = [(names[id_], counts) for id_, counts in by_category.items()], total(list(by_category.values()))
    print(table([*rows, ("all", overall)], **bounds))
    if given.JSON.value:
        categories = [{"id": id_, "name": names[id_], **counts.record()} for id_, counts in by_category.items()]
        write_scores(given.JSON.value, [{**bounds, "all": overall.record(), "categories": categories}])
    return command_line.DONE


def write_scores(path: str, records: list[dict[str, Json]]) -> None:
    """Write one protocol's record as it is, several as a list."""
    from jaxsr.evaluation.score_tables import json_text

    file = user_path(path)
    with written_whole(file) as temporary:
        temporary.write_text(json_text(records if len(records) > 1 else records[0]) + "\n")
    say(f"scores in {file}")


if __name__ == "__main__":
    command_line.run(main)
