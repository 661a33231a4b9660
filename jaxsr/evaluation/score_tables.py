"""Scores as a table of text, with the protocol under which they were made."""

import json
import math
from collections.abc import Mapping

import numpy as np

from jaxsr.evaluation.naturalness import LEGEND
from jaxsr.evaluation.scores import Scores
from jaxsr.support.messages import one_line
from jaxsr.support.types import Json


def table(scores: Scores, *, asked: int) -> str:
    """Return the lines of one protocol: model, photos, mean, the baseline's mean, and how the numbers were made.

    `asked` is the number of photos, of which some may have failed. The errors of estimated blur kernels stand in a
    column of their own, and so does NIQE.
    """
    mean = f"mean of {len(scores.rows)}" + (f" of {asked}" if len(scores.rows) < asked else "")
    times = [row.seconds for row in scores.rows if row.seconds is not None]
    seconds = float(np.mean(times)) if times else None
    names = [one_line(row.name) for row in scores.rows]
    width = max(map(len, (*names, mean, scores.model)))
    columns = (
        "    NIQE" * ("niqe" in scores.mean) + "  seconds" * bool(times) + "   kernel" * ("kernel_error" in scores.mean)
    )
    lines = [f"{scores.model:{width}}    PSNR    SSIM{columns}"]
    lines += [_line(name, width, row.scores, row.seconds) for name, row in zip(names, scores.rows, strict=True)]
    lines += [_line(mean, width, scores.mean, seconds), _line(scores.baseline_name, width, scores.baseline)]
    p, inputs = scores.protocol, "LR" if scores.scale > 1 else "blurred"
    computed = [f"computed in {scores.precision}"] if scores.precision else []
    facts = [p.channel, p.rounding, p.border, f"SSIM: {p.ssim}", *computed, f"{inputs} photos: {p.resizer}"]
    lines += [f"{p.name}: {'; '.join(facts)}"]
    if "kernel_error" in scores.mean:
        lines += ["kernel: norm of the estimated kernel's error over that of the true kernel (DANv1: of their codes)"]
    if "niqe" in scores.mean:
        lines += [LEGEND]
    return "\n".join(lines)


def _line(name: str, width: int, scores: Mapping[str, float], seconds: float | None = None) -> str:
    line = f"{name:{width}}  {scores['psnr']:6.2f}  {scores['ssim']:6.4f}"
    line = f"{line}  {scores['niqe']:6.2f}" if "niqe" in scores else line
    line = line if seconds is None else f"{line}  {seconds:7.3f}"
    return f"{line}  {scores['kernel_error']:7.3f}" if "kernel_error" in scores else line


def json_text(value: Json) -> str:
    """Return the JSON of `value`, with null for numbers that are not finite: the PSNR of equal photos is infinite."""
    return json.dumps(finite_or_null(value), indent=1, allow_nan=False)


def finite_or_null(value: Json) -> Json:
    """Return `value` with None for numbers that are not finite, which JSON lacks."""
    if isinstance(value, Mapping):
        return {name: finite_or_null(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_null(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
