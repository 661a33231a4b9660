"""`jaxsr.evaluate`, and what `python -m jaxsr.evaluate` does: scores of a model, or of restored photos, on a folder."""

import dataclasses
import numbers
from collections.abc import Callable, Sequence
from pathlib import Path

from jaxsr.api.named_models import load_with_options, split_options
from jaxsr.evaluation.folder_scores import Files, ScoreOptions, score_files, score_restored
from jaxsr.evaluation.pair_options import BICUBIC_PAIRS, PairOptions
from jaxsr.evaluation.paired_sets import PairedSet, is_set, read_set
from jaxsr.evaluation.scores import Scores
from jaxsr.evaluation.sources import Source, pair_files, reference_sources, with_references
from jaxsr.models import MODELS, Model
from jaxsr.support.compile_cache import use_compile_cache
from jaxsr.support.errors import UserError, brief
from jaxsr.support.paths import user_path
from jaxsr.support.types import Progress


@dataclasses.dataclass(frozen=True)
class EvaluateOptions(ScoreOptions):
    """What `evaluate` takes beside model and data: the options of ScoreOptions, and where photos are.

    Attributes:
        lr: a folder of LR photos, of the HR photos' names (0001, also with x2 or LR at the end: 0001x2) or in their
            order; without it they are made. Where one is grey and the other RGB, grey is repeated.
        reference: for srntt: photos to take texture from. Files are for all; those of folders and patterns go by the
            HR photos' names where one of them has such a name, and are for all otherwise.
        reference_level: for srntt, on a CUFED5-style folder: "1" (most similar) to "5", or "all" references. LR photos
            are then made by Pillow's bicubic, unless `pairs` says otherwise.
    """

    lr: str | Path | None = None
    reference: Sequence[str | Path] = ()
    reference_level: str = ""

    def check_request(self, model: Model | None, paired_set: PairedSet | None, scale: int | None) -> None:
        """Raise UserError for options that do not fit the model (None: restored photos), the data or each other."""
        if self.lr is not None and self.pairs is not None:
            raise UserError("--quantize_lr and --degradation make LR photos, --lr gives them; leave one out")
        if paired_set and (self.lr or self.pairs or scale not in (None, paired_set.scale)):
            raise UserError(
                f"the data is a paired set of scale {paired_set.scale}, which brings its other photos; leave out --lr, "
                f"--quantize_lr, --degradation and other scales"
            )
        used = [name for name in ("reference_level", "reference", "vgg", "copies") if getattr(self, name)]
        if model is None or "reference" not in model.needs:
            if used:
                raise UserError(f"--{used[0]} is for a model of srntt; leave it out, or choose that model")
            return
        if self.reference_level and (self.reference or self.lr):
            raise UserError(
                "--reference_level takes references and HR photos of --data; leave out --reference and --lr"
            )
        if self.ensemble:
            raise UserError(f"{model.name} matches an upright photo with references; leave --ensemble out")

    @property
    def pairs_made(self) -> PairOptions:
        """How LR photos are made."""
        return self.pairs or (PairOptions("pillow") if self.reference_level else BICUBIC_PAIRS)

    @property
    def references(self) -> str:
        """What is said of the references of a model that takes some."""
        photos = ", ".join(map(str, self.reference or ["the photo itself"]))
        text = f"level {self.reference_level}" if self.reference_level else photos
        return text + (" with turned and scaled copies" if self.copies else "")


DEFAULT_OPTIONS = EvaluateOptions()


def evaluate(
    model: Model | str | Path,
    data: str | Path,
    *,
    scale: int | None = None,
    options: EvaluateOptions = DEFAULT_OPTIONS,
    progress: Progress | None = None,
    on_failure: Callable[[str], object] | None = None,
) -> dict[str, Scores]:
    """Return the scores of `model` on the photos in the folder `data`, by protocol, with the baseline's.

    Example: `jaxsr.evaluate("fsrcnn-x2", "Set5")["y8"].mean` is {"psnr": dB, "ssim": index}; `.baseline` are those of
    bicubic, or of the blurred photos, `.rows` those of each photo, `.protocol` says how the numbers were made.

    Args:
        model: a Model, a shipped name, a weight file, a run folder, or "bicubic", with options of its own after commas
            as `jaxsr.restore` takes them.
        data: a folder of HR photos (8 or 16 bits, grey or RGB), a paired set of `jaxsr.degrade`, or of blurred photos
            (`blur`) and sharp ones (`sharp`).
        scale: how many times larger than the LR photos; by default what the model or the set says, or 2.
        options: an EvaluateOptions of `jaxsr.api.scoring`: how LR photos are made or where they are, and how they are
            restored and scored.
        progress: called with (done, total) after each photo.
        on_failure: called with a line for each photo that cannot be scored; by default the first one is raised.

    Returns:
        {protocol: Scores}, {} where no photo could be scored.

    Raises:
        UserError: for a model or folder that does not exist or fit, and options that do not fit each other.
    """
    _check_options(options)
    use_compile_cache()
    paired_set = _set_of(data)
    if paired_set:
        _check_scale_of_set(model, paired_set.scale)
        scale = paired_set.scale if scale is None else scale
    if not isinstance(model, Model):
        model, own = load_with_options(model, scale=scale)
        options = dataclasses.replace(options, vgg=own.vgg or options.vgg, copies=own.copies or options.copies)
    if scale not in (None, model.scale) and not paired_set:
        raise UserError(f"scale={scale} is not that of {model.name}; leave it out, or give a model of that scale")
    options.check_request(model, paired_set, scale)
    sources = _sources(data, paired_set, model.scale, options)
    scores = _reported(score_files(model, sources, options, progress=progress), on_failure)
    if "reference" not in model.needs:
        return scores
    return {name: dataclasses.replace(each, references=options.references) for name, each in scores.items()}


def evaluate_restored(
    restored: str | Path,
    data: str | Path,
    *,
    scale: int | None = None,
    options: EvaluateOptions = DEFAULT_OPTIONS,
    progress: Progress | None = None,
    on_failure: Callable[[str], object] | None = None,
) -> dict[str, Scores]:
    """Return the scores of photos that were restored before, in the folder `restored`, as `evaluate` does.

    They have the names of their pairs. Raises UserError for `save_to`, `ensemble`, `engine` and `precision`, too, which
    are for a model.
    """
    _check_options(options)
    computing = (options.engine, options.precision) != (EvaluateOptions.engine, EvaluateOptions.precision)
    if options.save_to or options.ensemble or computing:
        raise UserError("--save, --ensemble, --engine and --precision are for --model; leave them out with --restored")
    paired_set = _set_of(data)
    options.check_request(None, paired_set, scale)
    scale = paired_set.scale if paired_set else 2 if scale is None else scale
    if not isinstance(scale, numbers.Integral) or scale < 1:
        raise UserError(f"scale={scale} must be a whole number from 1 on; give that of the restored photos, such as 2")
    sources = _sources(data, paired_set, scale, options)
    return _reported(score_restored(restored, sources, scale, options, progress=progress), on_failure)


def _check_scale_of_set(model: Model | str | Path, scale: int) -> None:
    """Raise UserError where `model` has another scale than a paired set, of which no other can be chosen."""
    if isinstance(model, Model):
        name, scales = model.name, (model.scale,)
    else:
        name, _ = split_options(model)
        scales = MODELS[name].scales if name in MODELS else (scale,)
    if scale not in scales:
        raise UserError(
            f"the data is a paired set of scale {scale}, {name} is for {', '.join(map(str, scales))}; use a model of "
            f"scale {scale}"
        )


def _check_options(options: EvaluateOptions) -> None:
    """Raise UserError unless `options` are of evaluating."""
    if not isinstance(options, EvaluateOptions):
        raise UserError(f"options={brief(options)} is no EvaluateOptions; write options=EvaluateOptions(engine='xla')")
    if not isinstance(options.pairs, PairOptions | None):
        raise UserError(f"pairs={brief(options.pairs)} is no PairOptions; write for example pairs=PairOptions('bd')")
    for name, value in {"protocols": options.protocols, "reference": options.reference}.items():
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise UserError(f"{name}={value!r} is no list or tuple; write {name}=[{value!r}]")


def _set_of(data: str | Path) -> PairedSet | None:
    data = user_path(data)
    return read_set(data) if is_set(data) else None


def _sources(data: str | Path, paired_set: PairedSet | None, scale: int, options: EvaluateOptions) -> Sequence[Source]:
    """Return the files to score on, with their references."""
    if options.reference_level:
        return reference_sources(data, options.reference_level)
    sources = (
        paired_set.sources
        if paired_set
        else pair_files(data, options.lr, scale, degradation=options.pairs_made.degradation)
    )
    return with_references(sources, options.reference) if options.reference else sources


def _reported(files: Files, on_failure: Callable[[str], object] | None) -> dict[str, Scores]:
    """Return the scores; the lines of photos that failed are passed on, or the first of them raised."""
    scores, failures = files
    for failure in failures:
        if on_failure is None:
            raise UserError(failure)
        on_failure(failure)
    return scores
