"""Scores of a model, or of photos that were restored before, on files that pass through memory one by one."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from jaxsr.data.images import read_pixels
from jaxsr.engines.engine_choice import AUTO
from jaxsr.evaluation.naturalness import check_pair_size, with_niqe
from jaxsr.evaluation.pair_options import BICUBIC_PAIRS, PairOptions
from jaxsr.evaluation.pairs import Pair
from jaxsr.evaluation.restored_files import restored_files
from jaxsr.evaluation.saved_photos import SavedPhotos
from jaxsr.evaluation.scores import Row, Scores, default_protocol, gather, score_image, score_pair
from jaxsr.evaluation.sources import Source
from jaxsr.imaging.pixels import max_level, to_rgb
from jaxsr.metrics.protocols import PROTOCOLS
from jaxsr.models import Model
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import warm_up
from jaxsr.restoration.reference.preparation import load_for_matching, read_references
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.support.errors import FAILURES, UserError, choose, failure_line
from jaxsr.support.types import Progress
from jaxsr.weights.vgg_files import VGGWeights

Files = tuple[dict[str, Scores], list[str]]  # scores by protocol, and a line for each photo that failed


@dataclasses.dataclass(frozen=True)
class ScoreOptions:
    """How a model is scored on files.

    Attributes:
        protocols: of "y8", "y", "y-full" and "rgb"; by default that of most tables the model is in.
        pairs: how LR photos are made from HR photos that have none; by default by MATLAB's bicubic, unrounded.
        niqe: whether to score how natural photos are without a reference, too.
        ensemble: whether to average over 8 flips and turns: 8 times slower, a little better.
        engine: what computes, as in RestoreOptions.
        save_to: a folder for the restored photos.
        vgg: for srntt: VGG19's weights, or their file; by default the file in JAXSR_VGG19 or the cache.
        copies: for srntt: whether to match turned and scaled copies of the references, too.
        precision: what the network computes in, as in RestoreOptions; float32, unless asked, as in published tables.
    """

    protocols: Sequence[str] = ()
    pairs: PairOptions | None = None
    niqe: bool = False
    ensemble: bool = False
    engine: str = AUTO
    save_to: str | Path | None = None
    vgg: str | Path | VGGWeights = ""
    copies: bool = False
    precision: str = "float32"

    def restoring(self, model: Model) -> RestoreOptions:
        """Return how `model` restores; raises UserError where it restores no photo so."""
        options = RestoreOptions(
            ensemble=self.ensemble, engine=self.engine, quantize=False, precision=self.precision
        ).with_precision(model)
        options.check(model)
        return options

    def check(self, sources: Sequence[Source], scale: int) -> None:
        """Raise UserError for unknown protocols, and where pairs of `sources` are to be made and cannot be."""
        for name in self.protocols:
            choose("protocol", name, PROTOCOLS)
        if any(source.lr is None for source in sources):
            self.pairs_made.check(scale)

    @property
    def pairs_made(self) -> PairOptions:
        """How LR photos are made."""
        return self.pairs or BICUBIC_PAIRS


DEFAULT_OPTIONS = ScoreOptions()


def score_files(
    model: Model,
    sources: Sequence[Source],
    options: ScoreOptions = DEFAULT_OPTIONS,
    *,
    progress: Progress | None = None,
) -> Files:
    """Return the model's scores by protocol, without the photos that failed, and a line for each of those.

    The seconds leave out compiling. Raises UserError for options that do not fit, and where `save_to` holds a file of
    a restored photo's name that was not made from the same photo.
    """
    options.check(sources, model.scale)
    protocols = options.protocols or (default_protocol(model),)
    saved = SavedPhotos(sources, options.save_to, model, options.pairs_made)
    cache = TileCache([size for source in sources if (size := source.lr_size(model.scale))])
    shared = options.restoring(model)
    if "reference" in model.needs:
        shared = dataclasses.replace(shared, vgg=load_for_matching(options.vgg), copies=options.copies)
    compiled = set()

    def score_one(source: Source, pair: Pair) -> dict[str, Row]:
        if options.niqe:
            check_pair_size(pair)
        references = read_references(source.references)
        own = dataclasses.replace(shared, reference=references) if "reference" in model.needs else shared
        shapes = (pair.lr.shape, *(x.shape for x in references))
        if shapes not in compiled:
            warm_up(model, pair.lr, own, cache)
            compiled.add(shapes)
        restored, rows = score_pair(model, pair, protocols, own, cache=cache)
        saved.save(source, pair, restored)
        return with_niqe(rows, pair, restored) if options.niqe else rows

    with saved:
        rows, pair, failures = _score_each(sources, model.scale, options.pairs_made, score_one, progress)
    return gather(model.name, rows, pair, precision=shared.precision), failures


def score_restored(
    folder: str | Path,
    sources: Sequence[Source],
    scale: int,
    options: ScoreOptions = DEFAULT_OPTIONS,
    *,
    progress: Progress | None = None,
) -> Files:
    """Return the scores of photos that were restored before, by protocol, and a line for each that failed.

    The one of a pair has its name, in `folder`, as `restore` and `score_files` write them, or that of the LR photo,
    such as 0001x2, or for a blurred photo of scenes its place, SCENE/blur/NAME. Where one is grey and the other RGB,
    grey is repeated. The protocol is by default "y", and "rgb" for deblurring.
    """
    options.check(sources, scale)
    protocols = options.protocols or ("y" if scale > 1 else "rgb",)
    file_of = restored_files(folder, sources, scale)

    def score_one(source: Source, pair: Pair) -> dict[str, Row]:
        file = file_of(pair.name)
        pixels = read_pixels(file)
        if pixels.shape[2] != pair.hr_levels.shape[2]:
            pixels, pair = to_rgb(pixels), pair.as_rgb()
        if pixels.shape != pair.hr_levels.shape:
            raise UserError(
                f"{file} has the shape {pixels.shape}, the HR photo {pair.hr_levels.shape}; restore its "
                f"{'LR' if scale > 1 else 'blurred'} photo at scale {scale}"
            )
        restored = pixels / max_level(pixels.dtype)
        rows = score_image(pair, restored, protocols)
        return with_niqe(rows, pair, restored) if options.niqe else rows

    rows, pair, failures = _score_each(sources, scale, options.pairs_made, score_one, progress)
    return gather("restored", rows, pair), failures


def _score_each(
    sources: Sequence[Source],
    scale: int,
    options: PairOptions,
    score_one: Callable[[Source, Pair], dict[str, Row]],
    progress: Progress | None,
) -> tuple[list[dict[str, Row]], Pair | None, list[str]]:
    """Return what `score_one` gives for each pair of `sources`, one of the pairs, and a line for each that failed."""
    rows, failures, pair = [], [], None
    for done, source in enumerate(sources, start=1):
        try:
            for pair in source.pairs(scale, options):
                rows.append(score_one(source, pair))
        except FAILURES as error:
            failures.append(failure_line(source.file, error))
        if progress is not None:
            progress(done, len(sources))
    return rows, pair if rows else None, failures
