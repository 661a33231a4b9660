"""The flags of `python -m jaxsr.evaluate`, and the options of scoring that they ask for."""

from typing import TYPE_CHECKING

from absl import flags

from jaxsr.command_flags import engine_flags
from jaxsr.support.errors import UserError
from jaxsr.support.paths import output_folder, user_path

if TYPE_CHECKING:
    from jaxsr.api.scoring import EvaluateOptions
    from jaxsr.evaluation.pair_options import PairOptions

# What is scored
MODEL = flags.DEFINE_string(
    "model",
    None,
    "A shipped name (fsrcnn-x3), a weight file, a run folder, bicubic, with its options: srntt.safetensors,vgg=FILE.",
)
RESTORED = flags.DEFINE_string("restored", None, "Instead of a model: a folder of restored photos, matched by name.")
DATA = flags.DEFINE_string("data", None, "Folder of HR photos, or of pairs.")
SCALE = flags.DEFINE_integer("scale", None, "How many times larger; by default what the model says, or 2.")
ENSEMBLE = engine_flags.define_ensemble()
ENGINE = engine_flags.define_engine()
PRECISION = engine_flags.define_precision("float32", "What the network computes in; the table says which.")

# Where LR photos come from
LR = flags.DEFINE_string(
    "lr", None, "Folder of LR photos, named as HR photos are (0001, 0001x2, 0001_LR) or in their order."
)
QUANTIZE_LR = flags.DEFINE_bool("quantize_lr", False, "bicubic: make LR photos with 8 bits and a clamped border.")
DEGRADATION = flags.DEFINE_string(
    "degradation",
    None,
    "How LR photos are made: MATLAB's bicubic; Pillow's (pillow), the default with --reference_level; blur and every "
    "scale-th pixel (bd); noise (dn); a random Gaussian kernel (isotropic, anisotropic), each of 8 (gaussian8, "
    "gaussian8_ikc), one as in DIV2KRK (div2krk); blur, resizing, noise and JPEG twice over (real); camera shake at "
    "scale 1 (motion).",
)
KERNEL_SIZE = flags.DEFINE_integer(
    "kernel_size", None, "Side of the kernels of --degradation; by default 21 for Gaussians and 64 for motion."
)

# References
REFERENCE = flags.DEFINE_list(
    "reference",
    None,
    "srntt: photos to take texture from: files for all; of folders and patterns those of the HR photo's name, if any.",
)
LEVEL = flags.DEFINE_string("reference_level", "", "srntt: 1 (most similar) to 5, or 'all' references of each photo.")

# What comes out
PROTOCOL = flags.DEFINE_list(
    "protocol",
    None,
    "What is compared: some of y8, y, y-full, rgb; by default y8 for luma networks and bicubic, rgb for deblurring, "
    "else y.",
)
NIQE = flags.DEFINE_bool("niqe", False, "Score NIQE, too, which needs no HR photo: lower is better.")
JSON = flags.DEFINE_string("json", None, "File for the scores.")
SAVE = flags.DEFINE_string("save", None, "Folder for the restored photos; other files in it are never overwritten.")

# Detections
DETECTIONS = flags.DEFINE_list(
    "detections", None, "RESTORED.json,SHARP.json: two files of detections in COCO's format."
)
IOU = flags.DEFINE_float("iou", 0.5, "Least overlap (IoU) of a right detection.")
SCORE = flags.DEFINE_float("score", 0.0, "Detections of a lower score are left out.")

# What only some tasks take
OF_PAIRS = (
    SCALE,
    ENSEMBLE,
    ENGINE,
    PRECISION,
    LR,
    QUANTIZE_LR,
    DEGRADATION,
    KERNEL_SIZE,
    REFERENCE,
    LEVEL,
    PROTOCOL,
    SAVE,
)
OF_DETECTIONS = (IOU, SCORE)


def check_subject() -> None:
    """Raise UserError unless the flags name a folder of photos, and one thing to score."""
    if DATA.value is None:
        raise UserError("--data is missing; name the folder of HR photos, or of a paired set")
    for name, value in (("--model", MODEL.value), ("--restored", RESTORED.value)):
        if value == "":
            raise UserError(f"{name} is empty; give --model=NAME_OR_FILE, such as fsrcnn-x2, or --restored=FOLDER")
    if (MODEL.value is None) == (RESTORED.value is None):
        raise UserError("give either --model, to restore and score, or --restored, a folder of restored photos")


def evaluate_options() -> "EvaluateOptions":
    """Return what the flags ask for."""
    from jaxsr.api.scoring import EvaluateOptions

    return EvaluateOptions(
        lr=LR.value and user_path(LR.value),
        pairs=_pair_options(),
        protocols=tuple(PROTOCOL.value or ()),
        niqe=NIQE.value,
        ensemble=ENSEMBLE.value,
        engine=ENGINE.value,
        precision=PRECISION.value,
        save_to=SAVE.value and output_folder(SAVE.value, "--save"),
        reference=tuple(map(user_path, REFERENCE.value or ())),
        reference_level=LEVEL.value,
    )


def _pair_options() -> "PairOptions | None":
    """Return how LR photos are made, or None where no flag says so."""
    from jaxsr.evaluation.pair_options import PairOptions

    if not (DEGRADATION.value or QUANTIZE_LR.value or KERNEL_SIZE.value is not None):
        return None
    degradation = DEGRADATION.value or ("pillow" if LEVEL.value else "bicubic")
    return PairOptions(degradation, KERNEL_SIZE.value, quantize_lr=QUANTIZE_LR.value)
