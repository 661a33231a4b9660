"""Scores of a model on photos, with the protocol and the baseline's row that make a number mean something."""

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from jaxsr.evaluation.pairs import Pair
from jaxsr.metrics.kernel_errors import kernel_error
from jaxsr.metrics.protocols import PROTOCOLS, Protocol
from jaxsr.models import Model
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import restore_pixels
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.support.errors import UserError, choose
from jaxsr.support.types import Json

UNQUANTIZED = RestoreOptions(quantize=False, precision="float32")


@dataclasses.dataclass(frozen=True)
class Row:
    """What the model and the baseline scored on one photo, {"psnr": dB, "ssim": index}, and the model's seconds.

    The seconds are None where the restored photo was there before. The scores hold a "kernel_error" where a network
    estimates a blur that is known, and "niqe" where that was asked for.
    """

    name: str
    scores: Mapping[str, float]
    baseline: Mapping[str, float]
    seconds: float | None


@dataclasses.dataclass(frozen=True)
class Scores:
    """The scores of a set of photos under one protocol.

    Attributes:
        protocol: how the numbers were made.
        rows: of each photo.
        scale: the ratio of the sides of HR and LR photos.
        model: the name of the model, or "restored" for photos that were restored before.
        references: where SRNTT took texture from; "" for other models.
        precision: what the network computed in, "float32" or "bf16"; "" for photos that were restored before.
    """

    protocol: Protocol
    rows: Sequence[Row]
    scale: int
    model: str = ""
    references: str = ""
    precision: str = ""

    @property
    def mean(self) -> dict[str, float]:
        """The model's mean {"psnr": dB, "ssim": index}, of "kernel_error" and "niqe" where there are such."""
        return _mean([row.scores for row in self.rows])

    @property
    def baseline(self) -> dict[str, float]:
        """The baseline's mean on the same photos."""
        return _mean([row.baseline for row in self.rows])

    @property
    def baseline_name(self) -> str:
        """What the baseline is: the "bicubic" enlargement, or at scale 1 the blurred "input" itself."""
        return "bicubic" if self.scale > 1 else "input"

    def record(self) -> dict[str, Json]:
        """Return the JSON form: {"protocol", "mean", "bicubic", "images": [{"name", "psnr", "ssim", "seconds"}]}.

        At scale 1 it has "input" instead of "bicubic"; with references, "references" says which; "precision" what the
        network computed in.
        """
        protocol = dataclasses.asdict(self.protocol)
        images = [{"name": row.name, **row.scores, "seconds": row.seconds} for row in self.rows]
        means = {"mean": self.mean, self.baseline_name: self.baseline}
        facts = {"references": self.references, "precision": self.precision}
        return {"protocol": protocol, **means, "images": images, **{name: fact for name, fact in facts.items() if fact}}


def _mean(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([score[key] for score in scores])) for key in scores[0]}


def score_pair(
    model: Model,
    pair: Pair,
    protocols: Sequence[str] = ("y8",),
    options: RestoreOptions = UNQUANTIZED,
    *,
    cache: TileCache | None = None,
) -> tuple[np.ndarray, dict[str, Row]]:
    """Return the restored photo (H, W, C) float32, not clipped, and its row under each of `protocols`.

    `options` say how, but for the quantization, which is left out. Under y8 the luma of a luma network, and of
    bicubic, is rounded without a detour over 8-bit RGB, as their papers do.
    """
    began = time.perf_counter()
    try:
        restored, extras = restore_pixels(model, pair.lr, dataclasses.replace(options, quantize=False), cache=cache)
    except UserError as error:
        raise UserError(f"{pair.name}: {error}") from error
    seconds = time.perf_counter() - began
    errors = {} if pair.kernel is None else estimation_error(model, extras, pair.kernel)
    rows = score_image(pair, restored, protocols, luma_only=restores_luma(model), seconds=seconds, errors=errors)
    return restored, rows


def score_image(
    pair: Pair,
    restored: np.ndarray,
    protocols: Sequence[str] = ("y",),
    *,
    luma_only: bool = False,
    seconds: float | None = None,
    errors: Mapping[str, float] | None = None,
) -> dict[str, Row]:
    """Return the row of `restored` (H, W, C), not rounded, against the pair's HR photo under each of `protocols`.

    `luma_only` says that a network made the luma alone; `errors` stand in each row beside the scores.
    """
    rows = {}
    for name in protocols:
        protocol = choose("protocol", name, PROTOCOLS)
        scores = protocol.score(restored, pair.hr, scale=pair.scale, luma_only=luma_only)
        scores |= errors or {}
        rows[name] = Row(pair.name, scores, pair.baseline(protocol), seconds)
    return rows


def estimation_error(model: Model, extras: Mapping[str, np.ndarray], kernel: np.ndarray) -> dict[str, float]:
    """Return {"kernel_error": e} of what a network estimated of the `kernel` (k, k) that blurred a photo, or {}.

    That is `kernel_error` of the last round's kernel. A network that estimates only codes, as DANv1 does, gets the norm
    of the code's error over that of the true kernel's code, if it is made for kernels of this size.
    """
    if "kernels" in extras:
        return {"kernel_error": kernel_error(extras["kernels"][-1], kernel)}
    basis = model.variables.get("constants", {}).get("basis")
    if "codes" not in extras or basis is None or len(basis) != kernel.size:
        return {}
    code = kernel.reshape(-1) @ np.asarray(basis)
    return {"kernel_error": float(np.linalg.norm(extras["codes"][-1] - code) / np.linalg.norm(code))}


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
    options: Sequence[RestoreOptions] = (),
    cache: TileCache | None = None,
) -> dict[str, Scores]:
    """Return the model's scores on `pairs` by protocol name: `score(model, pairs)["y8"].mean["psnr"]`.

    `options` are those of each pair, such as its references; a `cache` of theirs saves compiling.
    """
    pairs = list(pairs)
    each = [own.with_precision(model) for own in options or [UNQUANTIZED] * len(pairs)]
    cache = cache_for(pairs) if cache is None else cache
    rows = [score_pair(model, pair, protocols, own, cache=cache)[1] for pair, own in zip(pairs, each, strict=True)]
    return gather(model.name, rows, pairs[0], precision=each[0].precision)


def cache_for(pairs: Iterable[Pair]) -> TileCache:
    """Return the cache of tiles that suit the LR photos of all `pairs`."""
    return TileCache([(pair.lr.shape[0], pair.lr.shape[1]) for pair in pairs])


def gather(
    model: str, rows: Sequence[Mapping[str, Row]], pair: Pair | None, *, precision: str = ""
) -> dict[str, Scores]:
    """Return the `rows` of several photos by protocol, {} for none, as scores of the `model` of that name.

    `pair` is one of them: all were made alike, in `precision`.
    """
    if pair is None:
        return {}
    facts = {"resizer": pair.resizer} | ({} if pair.scale > 1 else {"border": "nothing cut from the sides"})
    return {
        name: Scores(
            dataclasses.replace(PROTOCOLS[name], **facts),
            [row[name] for row in rows],
            pair.scale,
            model,
            precision=precision,
        )
        for name in rows[0]
    }
