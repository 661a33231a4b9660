"""Score a model: `python -m jaxsr.evaluate --model=NAME_OR_FILE --data=FOLDER --scale=3 [--protocol=y8,y,rgb]`.

With --restored=FOLDER instead of --model it scores photos that were restored before.

FOLDER holds sharp photos, a paired set of `python -m jaxsr.degrade`, or blurred photos in blur and sharp ones in sharp
(GoPro's scenes too). Small photos are made of the sharp ones by MATLAB's bicubic, unrounded, or with --quantize_lr as
8-bit files have them, or as --degradation says, or are read from --lr. A model of srntt takes texture from --reference,
or with --reference_level from FOLDER itself, whose files are NNN_0.png, the sharp ones, and NNN_1.png to NNN_5.png,
their references (CUFED5). Every table ends with the mean, the mean of
bicubic, or of the blurred photos, and the protocol; where a model estimates blur kernels and the true ones are known,
the error of its kernels stands beside. The seconds are those of restoring, without compiling. --json=F saves
{"protocol", "mean", "bicubic", "images"}, or a list of these for several protocols.

With --detections=RESTORED.json,SHARP.json it compares what any detector found on restored photos with what it found on
the sharp ones: precision, recall and F1. Exit status 0: all done; 1: some photos failed, listed at the end; 2: wrong
usage.
"""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError, choose
from jaxsr.support.files import written_whole

if TYPE_CHECKING:
    from jaxsr.models import Model

_MODEL = flags.DEFINE_string("model", None, "A shipped name (fsrcnn-x3), a weight file, a run folder, bicubic.")
_RESTORED = flags.DEFINE_string("restored", None, "Instead of a model: a folder of restored photos, by name.")
_DATA = flags.DEFINE_string("data", None, "Folder of sharp photos, or of pairs.")
_SCALE = flags.DEFINE_integer("scale", None, "How many times larger; by default what the model says, or 2.")
_LR = flags.DEFINE_string("lr", None, "Folder of small photos, of the sharp ones' names or in their order.")
_QUANTIZE_LR = flags.DEFINE_bool("quantize_lr", False, "Make the small photos with 8 bits and a clamped border.")
_DEGRADATION = flags.DEFINE_enum(
    "degradation",
    None,
    ["BI", "PIL", "BD", "DN", "isotropic", "anisotropic"],
    "Small photos by MATLAB's bicubic; by Pillow's, the default with --reference_level; by blur and every scale-th "
    "pixel; with noise; by each of 8 Gaussian kernels (Gaussian8); by a random kernel.",
)
_REFERENCE = flags.DEFINE_list("reference", None, "srntt: photos to take texture from, the same for all.")
_LEVEL = flags.DEFINE_string(
    "reference_level", None, "srntt: 1 (most similar) to 5, or 'all' references of each photo."
)
_VGG = flags.DEFINE_string("vgg", "", "srntt: VGG19's weights; by default the file in JAXSR_VGG19 or the cache.")
_COPIES = flags.DEFINE_bool("copies", False, "srntt: also references turned by quarters, at 3/4 and 5/4 of their size.")
_KERNEL_SIZE = flags.DEFINE_integer("kernel_size", 21, "Side of those kernels.", lower_bound=1)
_PROTOCOL = flags.DEFINE_list(
    "protocol", None, "Of y8, y, rgb; by default y8 for luma networks and bicubic, rgb for deblurring, else y."
)
_JSON = flags.DEFINE_string("json", None, "File for the scores.")
_SAVE = flags.DEFINE_string("save", None, "Folder for the restored photos.")
_ENSEMBLE = flags.DEFINE_bool("ensemble", False, "Average over 8 flips and turns: 8 times slower, a little better.")
_DETECTIONS = flags.DEFINE_list(
    "detections", None, "RESTORED.json,SHARP.json: two files of detections as COCO has them."
)
_IOU = flags.DEFINE_float("iou", 0.5, "Overlap from which a detected box is right.")
_SCORE = flags.DEFINE_float("score", 0.0, "Detections of a lower score are left out.")


def main(arguments: Sequence[str]) -> int:
    """Score, print and save; return the exit status."""
    from jaxsr.evaluation.folders import (
        pair_files,
        reference_sources,
        score_files,
        score_restored,
        table,
        with_references,
    )
    from jaxsr.evaluation.paired_sets import is_set, read_set
    from jaxsr.evaluation.scoring import default_protocol
    from jaxsr.metrics.protocols import PROTOCOLS  # after the flags: a typo is answered at once
    from jaxsr.weights import load

    if arguments:
        raise UserError(f"unexpected argument {arguments[0]!r}; the folder of photos is --data")
    if _DETECTIONS.value is not None:
        return compare_detections(_DETECTIONS.value)
    if _DATA.value is None:
        raise UserError("--data is missing; name the folder of sharp photos, or of a paired set")
    if (_MODEL.value is None) == (_RESTORED.value is None):
        raise UserError("give either --model, to restore and score, or --restored, a folder of restored photos")
    if _RESTORED.value and (_SAVE.value or _ENSEMBLE.value):
        raise UserError("--save and --ensemble are for --model; leave them out with --restored")
    if _LR.value is not None and (_QUANTIZE_LR.value or _DEGRADATION.value):
        raise UserError("--quantize_lr and --degradation make small photos, --lr gives them; leave one out")
    given = read_set(_DATA.value) if is_set(_DATA.value) else None
    if given and (_LR.value or _QUANTIZE_LR.value or _DEGRADATION.value or _SCALE.value not in (None, given.scale)):
        raise UserError(
            f"--data={_DATA.value} is a paired set of scale {given.scale}, which brings its other photos; leave out "
            f"--lr, --quantize_lr, --degradation and other scales"
        )
    scale = given.scale if given else _SCALE.value
    model = load(_MODEL.value, scale=scale) if _MODEL.value else None
    scale = model.scale if model else scale or 2
    protocols = _PROTOCOL.value or [default_protocol(model) if model else "y" if scale > 1 else "rgb"]
    for name in protocols:
        choose("protocol", name, PROTOCOLS)
    transfer = _transfer_options(model)
    if _LEVEL.value:
        sources = reference_sources(_DATA.value, _LEVEL.value)
    else:
        sources = given.sources if given else pair_files(_DATA.value, _LR.value, scale)
    if _REFERENCE.value:
        sources = with_references(sources, _REFERENCE.value)
    degradation = _DEGRADATION.value or ("PIL" if _LEVEL.value else "BI")
    making = {"degradation": degradation, "kernel_size": _KERNEL_SIZE.value, "quantize_lr": _QUANTIZE_LR.value}
    if model:
        making |= {"ensemble": _ENSEMBLE.value, "save_to": _SAVE.value, "transfer": transfer}
        scores, failures = score_files(model, sources, protocols=protocols, **making)
    else:
        scores, failures = score_restored(str(_RESTORED.value), sources, scale, protocols=protocols, **making)
    for score in scores.values():
        print(table(model.name if model else "restored", score, asked=len(sources)))
    if transfer:
        print(f"references: {transfer['told']}")
    if scores and _JSON.value:
        more = {"references": transfer["told"]} if transfer else {}
        write_scores(_JSON.value, [score.record() | more for score in scores.values()])
    for failure in failures:
        print(failure, file=sys.stderr)
    return command_line.SOME_FAILED if failures else command_line.DONE


def compare_detections(files: Sequence[str]) -> int:
    """Compare the detections of two `files`, print the table and save it; return the exit status."""
    from jaxsr.evaluation.detections import compare, read_detections, table, total

    if _MODEL.value or _RESTORED.value or _DATA.value:
        raise UserError("--detections compares two files; leave out --model, --restored and --data")
    if len(files) != 2:
        raise UserError(f"--detections takes RESTORED.json,SHARP.json; got {','.join(files)!r}")
    restored, sharp = map(read_detections, files)
    bounds = {"iou": _IOU.value, "score": _SCORE.value}
    by_category = compare(restored, sharp, **bounds)
    names = {**{id_: str(id_) for id_ in by_category}, **restored.names, **sharp.names}
    rows, overall = [(names[id_], counts) for id_, counts in by_category.items()], total(list(by_category.values()))
    print(table([*rows, ("all", overall)], **bounds))
    if _JSON.value:
        categories = [{"id": id_, "name": names[id_], **counts.record()} for id_, counts in by_category.items()]
        write_scores(_JSON.value, [{**bounds, "all": overall.record(), "categories": categories}])
    return command_line.DONE


def _transfer_options(model: "Model | None") -> dict[str, Any]:
    """Return VGG19's weights and what is said of the references, for a model that takes some; {} for others.

    Raises UserError for flags that do not fit the model or each other.
    """
    given = [flag for flag in (_LEVEL, _REFERENCE, _VGG, _COPIES) if flag.value]
    if model is None or "reference" not in model.needs:
        if given:
            raise UserError(f"--{given[0].name} is for a model of srntt; leave it out, or choose that model")
        return {}
    if _LEVEL.value and (_REFERENCE.value or _LR.value):
        raise UserError("--reference_level takes references and sharp photos of --data; leave out --reference and --lr")
    if _ENSEMBLE.value:
        raise UserError(f"{model.name} matches an upright photo with references; leave --ensemble out")
    from jaxsr.restoration.reference.preparation import load_for_matching

    told = f"level {_LEVEL.value}" if _LEVEL.value else ", ".join(_REFERENCE.value or ["the photo itself"])
    told += " with turned and scaled copies" if _COPIES.value else ""
    return {"vgg": load_for_matching(_VGG.value), "copies": _COPIES.value, "told": told}


def write_scores(path: str, records: list[dict]) -> None:
    """Write one protocol's record as it is, several as a list."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(records if len(records) > 1 else records[0], indent=1) + "\n")
    print(f"scores in {path}")


if __name__ == "__main__":
    command_line.run(main)
