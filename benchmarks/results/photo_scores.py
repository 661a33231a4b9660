"""How one photo is restored and scored: by bicubic, by a network, and by ZSSR, which learns from the photo itself."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.results.photo_sets import PhotoSet
from jaxsr.blind.zssr.kernel_choice import choose_kernels
from jaxsr.blind.zssr.restoration import restore_zssr
from jaxsr.blind.zssr.settings import ESTIMATE, ZSSRSettings
from jaxsr.evaluation.naturalness import niqe_of_image
from jaxsr.evaluation.pairs import Pair
from jaxsr.evaluation.scores import UNQUANTIZED, score_image, score_pair
from jaxsr.evaluation.sources import Source
from jaxsr.metrics.kernel_errors import kernel_error
from jaxsr.models import Model
from jaxsr.restoration.photo import warm_up
from jaxsr.restoration.reference.preparation import load_for_matching, read_references
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.support.errors import UserError
from jaxsr.support.types import Json

Scores = dict[str, Json]  # of a photo
Score = Callable[[Source, Pair], Scores]


def by_bicubic(protocol: str) -> Score:
    """Return the function that scores the enlargement of a pair, or the blurred photo itself."""

    def score(source: Source, pair: Pair) -> Scores:
        began = time.perf_counter()
        enlarged = pair.enlarged
        seconds = time.perf_counter() - began
        row = score_image(pair, enlarged, [protocol], luma_only=True, seconds=seconds)[protocol]
        return {**row.scores, "niqe": _niqe(enlarged), "seconds": row.seconds}

    return score


def by_network(model: Model, protocol: str, photo_set: PhotoSet, vgg: Path | None) -> Score:
    """Return the function that restores a pair by `model` and scores it, and times it without compiling."""
    sources = photo_set.sources(model.scale)
    cache = TileCache([size for source in sources if (size := source.lr_size(model.scale))])
    shared, compiled = UNQUANTIZED, set()
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


def by_zssr(settings: ZSSRSettings, protocol: str) -> Score:
    """Return the function that restores a pair by ZSSR and scores it.

    The kernel is KernelGAN's where `settings` say "estimate", whose error is scored too, else the pair's own. Seconds
    are those of everything, compiling too, which is little of the minutes that a photo takes.
    """

    def score(source: Source, pair: Pair) -> Scores:
        began, errors, kernels = time.perf_counter(), {}, pair.kernel
        if settings.kernel != ESTIMATE and pair.kernel is None:
            raise UserError(f"{pair.name} has no true kernel; put it into gt_k_x{pair.scale}, or leave the photo out")
        if settings.kernel == ESTIMATE:
            (kernels,) = choose_kernels([pair.lr], pair.scale, settings)
            if pair.kernel is not None:
                found = kernels if isinstance(kernels, np.ndarray) else kernels[-1]  # pyright: ignore[reportOptionalSubscript]
                errors = {"kernel_error": kernel_error(found, pair.kernel)}
        (restored,) = restore_zssr([pair.lr], scale=pair.scale, kernels=[kernels], settings=settings)
        seconds = time.perf_counter() - began
        row = score_image(pair, restored, [protocol], seconds=seconds, errors=errors)[protocol]
        return {**row.scores, "niqe": _niqe(restored), "seconds": row.seconds}

    return score


def _niqe(image: np.ndarray) -> float | None:
    """Return NIQE of an image, None for one that is too small."""
    try:
        return niqe_of_image(image)
    except UserError:
        return None
