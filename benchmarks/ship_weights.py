"""Puts trained weights into the package, as float16, with a card that tells where they come from and what they score.

python -m benchmarks.ship_weights runs/vdsr --name=vdsr-x2x3x4 --data=data/Set5/hr,data/Set14/hr \
    --machine="one H100" --seconds=480

scores them at every scale of the name on the folders of --data, under the protocols of the network, and writes
jaxsr/weights/shipped/NAME.safetensors. Networks that estimate a kernel are scored on the 8 kernels of gaussian8, `real`
on its own degradation, SRNTT with the most similar reference of each photo, DeblurGAN on folders that
`jaxsr.degrade --kind=motion` made.
float16 must not move a PSNR by 0.01 dB.
"""

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

import jaxsr
from jaxsr.api.scoring import EvaluateOptions
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.models import Model
from jaxsr.models.serialization import write_weights
from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.paths import is_folder, user_path
from jaxsr.support.types import Json
from jaxsr.weights.shipped_weights import SHIPPED, base_and_scales

TOLERANCE = 0.01  # dB that float16 may cost
# Degradations of the systems that are made for other photos than bicubic's, and what the card calls them
DEGRADED = {"danv1": "gaussian8", "danv2": "gaussian8", "real": "real"}
DEGRADED_NAMES = {"gaussian8": ", Gaussian8", "real": ", real degradation"}

NAME = flags.DEFINE_string("name", None, "The shipped name with all scales, such as vdsr-x2x3x4.", required=True)
DATA = flags.DEFINE_list("data", None, "Folders of photos to score on, such as Set5/hr.", required=True)
MACHINE = flags.DEFINE_string("machine", "", "What the weights were trained on.")
TRAINED_ON = flags.DEFINE_string("trained_on", "", "The photos learned from, where the run does not know all.")
SECONDS = flags.DEFINE_integer("seconds", 0, "How long the training took.")


def main(argv: Sequence[str]) -> None:
    """Score the weights that are named, and write the file."""
    if len(argv) != 1:
        raise UserError("name one weight file or run folder (--help lists the flags)")
    model = jaxsr.load(argv[0])
    check_name(NAME.value, model)
    if not DATA.value:
        raise UserError("--data is empty; name folders of photos to score on, such as Set5/hr")
    for folder in DATA.value:
        if not is_folder(user_path(folder)):
            raise UserError(f"--data={folder} is no folder; name those of the photos to score on, such as Set5/hr")
    with tempfile.TemporaryDirectory() as folder:
        halved = Path(folder) / f"{NAME.value}.safetensors"
        base = base_and_scales(NAME.value)[0]
        card = {**model.card, "name": base, "licence": "Apache-2.0", "training": training_of(model)}
        write_weights(halved, model.variables, card, dtype=np.float16)
        scores = [
            entry for data in DATA.value for scale in scales_of(model) for entry in scores_of(halved, data, scale)
        ]
        check_loss(scores, scores_of(model, DATA.value[0], scales_of(model)[0]))
        write_weights(halved, model.variables, {**card, "scores": scores}, dtype=np.float16)
        with written_whole(SHIPPED / halved.name) as temporary:
            shutil.copyfile(halved, temporary)
    for entry in scores:
        shown = ", ".join(f"{name} {value:.4f}" for name, value in entry["mean"].items())
        print(f"{entry['data']} x{entry['scale']} {entry['protocol']['name']}: {shown}")


def check_name(name: str, model: Model) -> None:
    """Raise UserError unless `name` is the network of `model` with scales that its weights serve, such as vdsr-x2x3.

    Further weights of a network have a word after it: real-gan-x4.
    """
    spec = model.spec
    served = [str(scale) for scale in spec.scales if scale > 1 and spec.shares(model.scale, scale)]
    base, _, scales = name.partition("-x")
    asked = scales.split("x") if scales else []
    ascending = [scale for scale in served if scale in asked]
    if base.partition("-")[0] != spec.name or asked != ascending or bool(asked) != bool(served):
        right = f"{spec.name}-x{'x'.join(served)}" if served else spec.name
        raise UserError(f"--name={name} does not fit these weights; they are {right}")


def training_of(model: Model) -> dict[str, Json]:
    """Return what the card says of the training, with the machine and the seconds that were given."""
    facts = {"data": TRAINED_ON.value, "machine": MACHINE.value, "seconds": SECONDS.value}
    return {**model.card.get("training", {}), **{name: value for name, value in facts.items() if value}}


def scales_of(model: Model) -> list[int]:
    """Return the scales that the name gives, or the model's own."""
    return base_and_scales(NAME.value)[1] or [model.scale]


def scores_of(model: Model | Path, data: str, scale: int) -> list[dict[str, Json]]:
    """Return what a card says of the scores on the folder `data` at `scale`, an entry for each protocol."""
    opened = (model if isinstance(model, Model) else jaxsr.load(model)).at_scale(scale)
    luma = opened.channels == 1
    kind = DEGRADED.get(opened.spec.name)
    level = "1" if "reference" in opened.needs else ""
    pairs = PairOptions(kind) if kind else None
    options = EvaluateOptions(protocols=("y8", "y") if luma else ("y", "rgb"), pairs=pairs, reference_level=level)
    folder = user_path(data)
    extra = DEGRADED_NAMES[kind] if kind else ", most similar reference" if level else ""
    entries = []
    for scored in jaxsr.evaluate(opened, data, scale=scale, options=options).values():
        baseline = {scored.baseline_name: scored.baseline}
        name = folder.parent.name if folder.name == "hr" else folder.name
        facts: dict[str, Json] = {"data": name + extra, "scale": scale}
        facts["pairs"] = len(scored.rows)
        entries.append(
            {**facts, "protocol": dataclasses.asdict(scored.protocol), "mean": dict(scored.mean), **baseline}
        )
    return entries


def check_loss(halved: Sequence[dict[str, Json]], whole: Sequence[dict[str, Json]]) -> None:
    """Raise UserError where the float16 file scores worse than the float32 weights by TOLERANCE."""
    for ours, full in zip(halved, whole, strict=False):
        lost = full["mean"]["psnr"] - ours["mean"]["psnr"]
        if lost > TOLERANCE:
            raise UserError(
                f"float16 costs {lost:.3f} dB on {ours['data']}, more than {TOLERANCE}; ship these weights as float32"
            )


if __name__ == "__main__":
    command_line.run(main)
