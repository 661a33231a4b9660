"""Score a model: `python -m jaxsr.evaluate --model=NAME_OR_FILE --data=FOLDER --scale=3 [--protocol=y8,y,rgb]`.

With --restored=FOLDER instead of --model it scores photos that were restored before.

FOLDER holds HR photos, a paired set of `python -m jaxsr.degrade`, or blurred photos in blur and sharp ones in sharp
(GoPro's scenes too). LR photos are made of the HR photos by MATLAB's bicubic, unrounded, or with --quantize_lr as 8-bit
files have them, or as --degradation says, or are read from --lr. A model of srntt takes texture from --reference, or
with --reference_level from FOLDER itself, whose files are NNN_0.png, the HR photos, and NNN_1.png to NNN_5.png, their
references (CUFED5). Every table ends with the mean, the baseline's mean (bicubic, or the blurred photos themselves) and
the protocol. Where a model estimates blur kernels and the true ones are known, the error of its kernels has a column.
--niqe adds how natural each photo looks without a reference (lower is better); with --restored=FOLDER and no --data it
is all that is scored. The seconds are those of restoring, without compiling. --json=F saves {"protocol", "mean",
"bicubic", "images"}, or a list of these for several protocols.

With --detections=RESTORED.json,SHARP.json it compares what any detector finds on restored photos with what it finds on
the sharp ones: precision, recall and F1. Exit status 0: all done; 1: some photos failed, listed at the end; 2: wrong
usage.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.messages import complain, say
from jaxsr.support.paths import output_file, output_folder, user_path
from jaxsr.support.types import Json

if TYPE_CHECKING:
    from jaxsr.api.scoring import EvaluateOptions
    from jaxsr.evaluation.pairs import PairOptions
    from jaxsr.evaluation.scores import Scores

# What is scored
_MODEL = flags.DEFINE_string(
    "model",
    None,
    "A shipped name (fsrcnn-x3), a weight file, a run folder, bicubic, with its options: srntt.safetensors,vgg=FILE.",
)
_RESTORED = flags.DEFINE_string("restored", None, "Instead of a model: a folder of restored photos, by name.")
_DATA = flags.DEFINE_string("data", None, "Folder of HR photos, or of pairs.")
_SCALE = flags.DEFINE_integer("scale", None, "How many times larger; by default what the model says, or 2.")
_ENSEMBLE = flags.DEFINE_bool("ensemble", False, "Average over 8 flips and turns: 8 times slower, a little better.")
_ENGINE = flags.DEFINE_string(
    "engine",
    "auto",
    "What computes: xla, openvino or onnxruntime (extras of those names), or auto: on CPUs the one measured fastest.",
)
_PRECISION = flags.DEFINE_enum(
    "precision", "float32", ["auto", "float32", "bf16"], "What the network computes in; the table says which."
)

# Where LR photos come from
_LR = flags.DEFINE_string(
    "lr", None, "Folder of LR photos, named as HR photos are (0001, 0001x2, 0001_LR) or in their order."
)
_QUANTIZE_LR = flags.DEFINE_bool("quantize_lr", False, "bicubic: make LR photos with 8 bits and a clamped border.")
_DEGRADATION = flags.DEFINE_string(
    "degradation",
    None,
    "How LR photos are made: MATLAB's bicubic; Pillow's (pillow), the default with --reference_level; blur and every "
    "scale-th pixel (bd); noise (dn); a random Gaussian kernel (isotropic, anisotropic), each of 8 (gaussian8, "
    "gaussian8_ikc), one as in DIV2KRK (div2krk); blur, resizing, noise and JPEG twice over (real); camera shake at "
    "scale 1 (motion).",
)
_KERNEL_SIZE = flags.DEFINE_integer("kernel_size", None, "Side of those kernels, by default 21 for Gaussians.")

# References
_REFERENCE = flags.DEFINE_list(
    "reference",
    None,
    "srntt: photos to take texture from: files for all; of folders and patterns those of the HR photo's name, if any.",
)
_LEVEL = flags.DEFINE_string("reference_level", "", "srntt: 1 (most similar) to 5, or 'all' references of each photo.")

# What comes out
_PROTOCOL = flags.DEFINE_list(
    "protocol",
    None,
    "Of y8, y, y-full, rgb; by default y8 for luma networks and bicubic, rgb for deblurring, else y.",
)
_NIQE = flags.DEFINE_bool("niqe", False, "Score NIQE, too, which needs no HR photo: lower is better.")
_JSON = flags.DEFINE_string("json", None, "File for the scores.")
_SAVE = flags.DEFINE_string("save", None, "Folder for the restored photos; files of others there stay.")

# Detections
_DETECTIONS = flags.DEFINE_list(
    "detections", None, "RESTORED.json,SHARP.json: two files of detections in COCO's format."
)
_IOU = flags.DEFINE_float("iou", 0.5, "Least overlap (IoU) of a right detection.")
_SCORE = flags.DEFINE_float("score", 0.0, "Detections of a lower score are left out.")


def main(arguments: Sequence[str]) -> int:
    """Score, print and save; return the exit status."""
    if arguments:
        raise UserError(f"unexpected argument {arguments[0]!r}; the folder of photos is --data")
    if _DETECTIONS.value is not None:
        return compare_detections(_DETECTIONS.value)
    if _NIQE.value and _RESTORED.value and _DATA.value is None and _MODEL.value is None:
        return judge_alone(_RESTORED.value)
    if _DATA.value is None:
        raise UserError("--data is missing; name the folder of HR photos, or of a paired set")
    for name, value in (("--model", _MODEL.value), ("--restored", _RESTORED.value)):
        if value == "":
            raise UserError(f"{name} is empty; give --model=NAME_OR_FILE, such as fsrcnn-x2, or --restored=FOLDER")
    if (_MODEL.value is None) == (_RESTORED.value is None):
        raise UserError("give either --model, to restore and score, or --restored, a folder of restored photos")
    from jaxsr.api.scoring import evaluate, evaluate_restored  # after the flags: a typo is answered at once
    from jaxsr.support.progress import progress_bar

    failures: list[str] = []
    score, subject = (evaluate, _MODEL.value) if _MODEL.value else (evaluate_restored, str(_RESTORED.value))
    _check_json()
    with progress_bar([], "photo") as progress:
        scores = score(
            subject,
            user_path(_DATA.value),
            scale=_SCALE.value,
            options=_options(),
            progress=progress,
            on_failure=failures.append,
        )
    _report(scores, len(failures))
    for failure in failures:
        complain(failure)
    return command_line.SOME_FAILED if failures else command_line.DONE


def _check_json() -> None:
    """Raise UserError unless the scores can be written, before any work."""
    if _JSON.value is not None:
        output_file(_JSON.value, "--json")


def _options() -> "EvaluateOptions":
    """Return what the flags ask for."""
    from jaxsr.api.scoring import EvaluateOptions

    return EvaluateOptions(
        lr=_LR.value and user_path(_LR.value),
        pairs=_pair_options(),
        protocols=tuple(_PROTOCOL.value or ()),
        niqe=_NIQE.value,
        ensemble=_ENSEMBLE.value,
        engine=_ENGINE.value,
        precision=_PRECISION.value,
        save_to=_SAVE.value and output_folder(_SAVE.value, "--save"),
        reference=tuple(map(user_path, _REFERENCE.value or ())),
        reference_level=_LEVEL.value,
    )


def _pair_options() -> "PairOptions | None":
    """Return how LR photos are made, or None where no flag says so."""
    from jaxsr.evaluation.pairs import PairOptions

    if not (_DEGRADATION.value or _QUANTIZE_LR.value or _KERNEL_SIZE.value is not None):
        return None
    degradation = _DEGRADATION.value or ("pillow" if _LEVEL.value else "bicubic")
    return PairOptions(degradation, _KERNEL_SIZE.value, quantize_lr=_QUANTIZE_LR.value)


def _report(scores: "Mapping[str, Scores]", failed: int) -> None:
    """Print the tables, and save the scores where --json says."""
    from jaxsr.evaluation.score_tables import table

    for each in scores.values():
        print(table(each, asked=len(each.rows) + failed))
    for references in {each.references for each in scores.values() if each.references}:
        say(f"references: {references}")
    if scores and _JSON.value:
        write_scores(_JSON.value, [each.record() for each in scores.values()])


def judge_alone(folder: str) -> int:
    """Score NIQE of the photos in `folder` by themselves, print the table and save it; return the exit status."""
    from jaxsr.evaluation.naturalness import niqe_of_folder
    from jaxsr.support.progress import progress_bar

    _check_json()
    with progress_bar([], "photo") as progress:
        scores = niqe_of_folder(user_path(folder), progress)
    print(scores.table())
    if _JSON.value:
        write_scores(_JSON.value, [scores.record()])
    for failure in scores.failures:
        complain(failure)
    return command_line.SOME_FAILED if scores.failures else command_line.DONE


def compare_detections(files: Sequence[str]) -> int:
    """Compare the detections of two `files`, print the table and save it; return the exit status."""
    from jaxsr.evaluation.detections import compare, read_detections, table, total

    if _MODEL.value or _RESTORED.value or _DATA.value:
        raise UserError("--detections compares two files; leave out --model, --restored and --data")
    if len(files) != 2:
        raise UserError(f"--detections takes RESTORED.json,SHARP.json; got {','.join(files)!r}")
    _check_json()
    restored, sharp = (read_detections(user_path(file)) for file in files)
    bounds = {"iou": _IOU.value, "score": _SCORE.value}
    by_category = compare(restored, sharp, **bounds)
    names = {**{id_: str(id_) for id_ in by_category}, **restored.names, **sharp.names}
    rows, overall = [(names[id_], counts) for id_, counts in by_category.items()], total(list(by_category.values()))
    print(table([*rows, ("all", overall)], **bounds))
    if _JSON.value:
        categories = [{"id": id_, "name": names[id_], **counts.record()} for id_, counts in by_category.items()]
        write_scores(_JSON.value, [{**bounds, "all": overall.record(), "categories": categories}])
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
