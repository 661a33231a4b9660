"""Scores of a model on photos, with the protocol and the baseline's row that make a number mean something."""

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxsr.evaluation.pairs import Pair
from jaxsr.metrics.kernel_errors import kernel_error
from jaxsr.metrics.protocols import PROTOCOLS, Protocol
from jaxsr.models import Model
from jaxsr.restoration.reference.transfer import restore_pixels
from jaxsr.restoration.tiles.placement import Folder
from jaxsr.support.errors import UserError, choose


@dataclasses.dataclass(frozen=True)
class Row:
    """What the model and the baseline scored on one photo, {"psnr": dB, "ssim": index}, and the model's seconds.

    These are None where the restored photo was there before. The scores hold a "kernel_error" where a network
    estimates a blur that is known.
    """

    name: str
    scores: Mapping[str, float]
    baseline: Mapping[str, float]
    seconds: float | None


@dataclasses.dataclass(frozen=True)
class Scores:
    """The rows of a set of photos under one protocol, the ratio of their sides being `scale`."""

    protocol: Protocol
    rows: Sequence[Row]
    scale: int

    @property
    def mean(self) -> dict[str, float]:
        """The model's mean {"psnr": dB, "ssim": index}, and of "kernel_error" where there is one."""
        return _mean([row.scores for row in self.rows])

    @property
    def baseline(self) -> dict[str, float]:
        """The baseline's mean on the same photos."""
        return _mean([row.baseline for row in self.rows])

    @property
    def baseline_name(self) -> str:
        """What the model must beat: the "bicubic" enlargement, or at scale 1 the blurred "input" itself."""
        return "bicubic" if self.scale > 1 else "input"

    def record(self) -> dict[str, Any]:
        """Return the JSON form: {"protocol", "mean", "bicubic", "images": [{"name", "psnr", "ssim", "seconds"}]}.

        At scale 1 it has "input" instead of "bicubic".
        """
        protocol = dataclasses.asdict(self.protocol)
        images = [{"name": row.name, **row.scores, "seconds": row.seconds} for row in self.rows]
        return {"protocol": protocol, "mean": self.mean, self.baseline_name: self.baseline, "images": images}


def _mean(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([score[key] for score in scores])) for key in scores[0]}


def score_pair(
    model: Model, pair: Pair, protocols: Sequence[str] = ("y8",), **options: Any
) -> tuple[np.ndarray, dict[str, Row]]:
    """Return the restored photo (H, W, C) float32, not clipped, and its row under each of `protocols`.

    `options` go to `restore_pixels`. Under y8 the luma of a luma network, and of bicubic, is rounded without a detour
    over 8-bit RGB, as their papers do.
    """
    began = time.perf_counter()
    try:
        restored, found = restore_pixels(model, pair.lr, quantize=False, **options)
    except UserError as error:
        raise UserError(f"{pair.name}: {error}") from error
    seconds = time.perf_counter() - began
    more = {} if pair.kernel is None else estimation_error(model, found, pair.kernel)
    return restored, score_image(pair, restored, protocols, luma_only=restores_luma(model), seconds=seconds, **more)


def score_image(
    pair: Pair,
    restored: np.ndarray,
    protocols: Sequence[str] = ("y",),
    *,
    luma_only: bool = False,
    seconds: float | None = None,
    **more: float,
) -> dict[str, Row]:
    """Return the row of `restored` (H, W, C), not rounded, against the pair's sharp photo under each of `protocols`.

    `luma_only` says that a network made the luma alone; `more` stands in each row beside the scores.
    """
    rows = {}
    for name in protocols:
        protocol = choose("protocol", name, PROTOCOLS)
        scores = protocol.score(restored, pair.hr, scale=pair.scale, luma_only=luma_only) | more
        rows[name] = Row(pair.name, scores, pair.baseline(protocol), seconds)
    return rows


def estimation_error(model: Model, found: Mapping[str, np.ndarray], truth: np.ndarray) -> dict[str, float]:
    """Return {"kernel_error": e} of the kernel `truth` (k, k) that blurred the photo, {} where none was estimated.

    That is `kernel_error` of the last round's kernel. A network that finds only codes, as DANv1 does, gets the norm of
    the code's error over that of the true kernel's code, if it is made for kernels of this size.
    """
    if "kernels" in found:
        return {"kernel_error": kernel_error(found["kernels"][-1], truth)}
    basis = model.variables.get("constants", {}).get("basis")
    if "codes" not in found or basis is None or len(basis) != truth.size:
        return {}
    code = truth.reshape(-1) @ np.asarray(basis)
    return {"kernel_error": float(np.linalg.norm(found["codes"][-1] - code) / np.linalg.norm(code))}


def restores_luma(model: Model) -> bool:
    """Return whether published tables score the model's luma alone; bicubic is linear, so for it as well."""
    return model.channels == 1 or model.spec.name == "bicubic"


def default_protocol(model: Model) -> str:
    """Return the protocol of most tables that the model is in."""
    if model.scale == 1:
        return "rgb"  # GoPro's
    return "y8" if restores_luma(model) else "y"


def score(
    model: Model,
    pairs: Iterable[Pair],
    *,
    protocols: Sequence[str] = ("y8",),
    options: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Scores]:
    """Return the model's scores on `pairs` by protocol name: `score(model, pairs)["y8"].mean["psnr"]`.

    `options` of each pair, such as its references, go to `restore_pixels`.
    """
    pairs = list(pairs)
    each = options or [{}] * len(pairs)
    folder = Folder([(pair.lr.shape[0], pair.lr.shape[1]) for pair in pairs])
    rows = [
        score_pair(model, pair, protocols, folder=folder, **more)[1] for pair, more in zip(pairs, each, strict=True)
    ]
    return gather(rows, pairs[0])


def gather(rows: Sequence[Mapping[str, Row]], pair: Pair | None) -> dict[str, Scores]:
    """Return the rows of several photos by protocol, {} for none; `pair` is one that tells how all were made."""
    if pair is None:
        return {}
    facts = {"resizer": pair.resizer} | ({} if pair.scale > 1 else {"border": "nothing cut from the sides"})
    return {
        name: Scores(dataclasses.replace(PROTOCOLS[name], **facts), [row[name] for row in rows], pair.scale)
        for name in rows[0]
    }
