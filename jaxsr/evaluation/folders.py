"""Scores of a model on folders of photos, which pass through memory one by one, and the table they are told in."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from jaxsr.data.images import Photo, read_pixels, write_photo
from jaxsr.data.listing import list_photos, output_paths, pair_by_name
from jaxsr.data.reference_sets import read_groups
from jaxsr.evaluation.paired_sets import Source
from jaxsr.evaluation.pairs import Pair, given_pair
from jaxsr.evaluation.scoring import Row, Scores, gather, score_image, score_pair
from jaxsr.imaging.color import round_to_levels
from jaxsr.models import Model
from jaxsr.restoration.reference.preparation import check_not_the_truth, read_references
from jaxsr.restoration.reference.transfer import warm_up
from jaxsr.restoration.tiles.placement import Folder
from jaxsr.support.errors import UserError


def pair_files(data: str | Path, lr: str | Path | None, scale: int) -> list[Source]:
    """Return the photos of the folder `data`, each with its small one from the folder `lr` if there is one.

    Raises UserError, before any work, where the two folders do not fit in number or in size, and at scale 1 without
    the second: then nothing says how the photos were blurred.
    """
    if lr is None and scale == 1:
        raise UserError(
            f"{data} holds sharp photos alone; give the blurred ones: put them in {Path(data) / 'blur'} beside "
            f"{Path(data) / 'sharp'}, pass --lr=FOLDER, or make some: python -m jaxsr.degrade {data} --kind=motion"
        )
    if lr is None:
        return [Source(path) for path in list_photos([data])]
    files = pair_by_name(list_photos([data]), list_photos([lr]))
    for hr, small in files:
        try:
            pixels = read_pixels(hr), read_pixels(small)
        except UserError:
            continue  # told when its turn comes, and the others are scored
        given_pair(hr.stem, *pixels, scale)
    return [Source(hr, small) for hr, small in files]


def reference_sources(folder: str | Path, level: str) -> list[Source]:
    """Return the sharp photos of a CUFED5-style `folder`, each with its references of `level`, "1" or "all".

    Raises UserError, before any work, where there are none, and where one is broken, tiny or the sharp photo itself.
    """
    sources = [Source(group.sharp, references=tuple(group.at(level)), name=group.name) for group in read_groups(folder)]
    _check_references(sources)
    return sources


def with_references(sources: Sequence[Source], references: Sequence[str | Path]) -> list[Source]:
    """Return `sources` with the same `references` for all; raises UserError as `reference_sources` does."""
    sources = [dataclasses.replace(source, references=tuple(map(Path, references))) for source in sources]
    _check_references(sources)
    return sources


def _check_references(sources: Sequence[Source]) -> None:
    for source in sources:
        photos = read_references(source.references)
        try:
            sharp = read_pixels(source.sharp)
        except UserError:
            continue  # told when its turn comes, and the others are scored
        check_not_the_truth(sharp, photos, source.references)


def score_files(
    model: Model,
    sources: Sequence[Source],
    *,
    protocols: Sequence[str],
    ensemble: bool = False,
    save_to: str | Path | None = None,
    transfer: Mapping[str, Any] | None = None,
    **making: Any,
) -> tuple[dict[str, Scores], list[str]]:
    """Return the model's scores by protocol, without the photos that failed, and a line for each of those.

    `making` (degradation, kernel_size, quantize_lr) goes to `make_pairs`. With the folder `save_to` the restored photos
    are written there. `transfer` (vgg, copies) is for a model that needs references. Seconds leave out compiling.
    """
    files = [source.file.with_stem(source.stem) for source in sources]
    outputs = output_paths(files, save_to) if save_to else [None] * len(sources)
    written, warm = dict(zip(sources, outputs, strict=True)), set()
    folder = Folder([size for source in sources if (size := source.small_size(model.scale))])

    def score_one(source: Source, pair: Pair) -> dict[str, Row]:
        options: dict[str, Any] = {"ensemble": ensemble, "folder": folder}
        if transfer:
            chosen = {name: transfer[name] for name in ("vgg", "copies")}
            options |= {"reference": read_references(source.references), **chosen}
        shapes = (pair.lr.shape, *(x.shape for x in options.get("reference", ())))
        if shapes not in warm:
            warm_up(model, pair.lr, quantize=False, **options)
            warm.add(shapes)
        restored, rows = score_pair(model, pair, protocols, **options)
        if (output := written[source]) is not None:
            pixels = np.rint(round_to_levels(restored) * 255).astype(np.uint8)
            write_photo(output.with_stem(output.stem + pair.name.removeprefix(source.stem)), Photo(pixels))
        return rows

    return _score_each(sources, model.scale, making, score_one)


def score_restored(
    folder: str | Path, sources: Sequence[Source], scale: int, *, protocols: Sequence[str], **making: Any
) -> tuple[dict[str, Scores], list[str]]:
    """Return the scores of photos that were restored before, {protocol: Scores}, and a line for each that failed.

    The one of a pair has its name, in `folder`, as `restore` and `score_files` write them. `making` is theirs.
    """
    restored = {path.stem: path for path in list_photos([folder])}

    def score_one(_: Source, pair: Pair) -> dict[str, Row]:
        if pair.name not in restored:
            raise UserError(f"{folder} holds no restored photo {pair.name}; restore it, or leave the sharp one out")
        pixels = read_pixels(restored[pair.name])
        if pixels.shape != pair.pixels.shape:
            raise UserError(
                f"{restored[pair.name]} has the shape {pixels.shape}, the sharp photo {pair.pixels.shape}; "
                f"restore it at scale {scale}"
            )
        return score_image(pair, pixels / np.iinfo(pixels.dtype).max, protocols)

    return _score_each(sources, scale, making, score_one)


def _score_each(
    sources: Sequence[Source],
    scale: int,
    making: Mapping[str, Any],
    score_one: Callable[[Source, Pair], dict[str, Row]],
) -> tuple[dict[str, Scores], list[str]]:
    """Return what `score_one` gives for each pair of `sources` by protocol, and a line for each that failed."""
    rows, failures, pair = [], [], None
    for source in tqdm(sources, unit="photo", disable=None):
        try:
            for pair in source.pairs(scale, **making):
                rows.append(score_one(source, pair))
        except UserError as error:
            failures.append(str(error))
    return gather(rows, pair if rows else None), failures


def table(name: str, scores: Scores, *, asked: int) -> str:
    """Return the lines of one protocol: `name`, photos, mean, the baseline's mean, and how the numbers were made.

    Where blur kernels were estimated, their errors stand in a column of their own.
    """
    mean = f"mean of {len(scores.rows)}" + (f" of {asked}" if len(scores.rows) < asked else "")
    times = [row.seconds for row in scores.rows if row.seconds is not None]
    seconds = float(np.mean(times)) if times else None
    width = max(len(name) for name in (*(row.name for row in scores.rows), mean, name))
    columns = "  seconds" * bool(times) + "   kernel" * ("kernel_error" in scores.mean)
    lines = [f"{name:{width}}    PSNR    SSIM{columns}"]
    lines += [_line(row.name, width, row.scores, row.seconds) for row in scores.rows]
    lines += [_line(mean, width, scores.mean, seconds), _line(scores.baseline_name, width, scores.baseline)]
    p, inputs = scores.protocol, "small" if scores.scale > 1 else "blurred"
    lines += [f"{p.name}: {p.channel}; {p.rounding}; {p.border}; SSIM: {p.ssim}; {inputs} photos: {p.resizer}"]
    if "kernel_error" in scores.mean:
        lines += ["kernel: the norm of the estimated kernel's error over that of the true one (DANv1: of their codes)"]
    return "\n".join(lines)


def _line(name: str, width: int, scores: Mapping[str, float], seconds: float | None = None) -> str:
    line = f"{name:{width}}  {scores['psnr']:6.2f}  {scores['ssim']:6.4f}"
    line = line if seconds is None else f"{line}  {seconds:7.3f}"
    return f"{line}  {scores['kernel_error']:7.3f}" if "kernel_error" in scores else line
