"""Kernels of photo files, from files to files: what `estimate_kernel` and `train --config=configs/kernelgan.py` do.

Photos that have a kernel already are skipped, so that the same call continues an interrupted run.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from absl import logging

from jaxsr.blind.kernelgan.estimation import check_photo, combine, estimate_kernels, rgb_photo, warn_of_width
from jaxsr.blind.kernelgan.kernel_reports import log_losses, with_suffix, write_estimate, write_picture
from jaxsr.blind.kernelgan.kernelgan_options import DEFAULT_OPTIONS, KernelGANOptions
from jaxsr.blind.kernelgan.parallel_runs import Estimate, OnKernels, runs_per_batch
from jaxsr.data.kernel_files import SUFFIXES, read_kernel
from jaxsr.data.output_names import output_paths
from jaxsr.data.output_record import OutputRecord, refused
from jaxsr.support.errors import FAILURES, UserError, failure_line
from jaxsr.support.files import remove_remains_of
from jaxsr.support.paths import make_folder
from jaxsr.support.progress import part_of
from jaxsr.support.types import Progress

LOG_NAME, PICTURE = "losses.jsonl", ".png"
Log = Callable[[Path, Sequence[Estimate]], None]  # log(photo, its runs)


@dataclasses.dataclass(frozen=True)
class KernelFiles:
    """What became of photo files.

    Attributes:
        kernels: the kernel (k, k) of each photo that has one now, also of those that were skipped.
        failures: for each of the other photos a line that says why.
        skipped: the photos that had a kernel before.
    """

    kernels: dict[Path, np.ndarray]
    failures: dict[Path, str]
    skipped: list[Path]


def estimate_kernels_of_files(
    photos: Collection[Path] | Mapping[Path, Path],
    output: str | Path,
    options: KernelGANOptions = DEFAULT_OPTIONS,
    *,
    log_file: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> KernelFiles:
    """Estimate the kernels of the files `photos` and write them into the folder `output`; return what became of each.

    Args:
        photos: files, or what `find_photos` returns, with their names for `output_paths`; several go at the same time.
        output: the folder for NAME_x2.npz, .mat and .png (NAME_x4 at scale 4) of each photo; made when missing.
        options: how the kernels are estimated.
        log_file: for what `log_losses` writes of every `options.log_every` steps; by default losses.jsonl in `output`.
        overwrite: whether photos that have a kernel in `output` are estimated anew instead of skipped.
        progress: `progress(done, total)` counts the steps of all runs.

    Returns:
        Kernels, failures and skipped photos. A photo that fails does not stop the others.

    Raises:
        UserError: before any work, when `output` holds one of the photos, or cannot be made, and unless `overwrite`
            says so, when a kernel or a file of its name is there that was not made from the same photo.
    """
    output = Path(output)
    named = output_paths(photos, output, f"_x{options.scale}.png")
    stems = {photo: path.with_suffix("") for photo, path in zip(photos, named, strict=True)}
    record = OutputRecord(output, f"kernel for x{options.scale}")
    kernels = {} if overwrite else _own_kernels(stems, record)
    make_folder(output)
    result = KernelFiles(kernels, {}, list(kernels))
    todo = {photo: stem for photo, stem in stems.items() if photo not in kernels}
    with contextlib.closing(record):
        log = _log_into(Path(log_file or output / LOG_NAME), stems, output, options.log_every)
        for new_kernels, failures in _run_groups(todo, options, log, record, progress):
            result.kernels.update(new_kernels)
            result.failures.update(failures)
    return result


def _log_into(path: Path, stems: Mapping[Path, Path], output: Path, every: int) -> Log:
    """Return what logs the runs of a photo in `path`; photos of one name have the folder of their `stems` before it."""

    def log(photo: Path, runs: Sequence[Estimate]) -> None:
        log_losses(path, stems[photo].relative_to(output).with_name(photo.name).as_posix(), runs, every)

    return log


def _own_kernels(stems: Mapping[Path, Path], record: OutputRecord) -> dict[Path, np.ndarray]:
    """Return those of `_finished_kernels` that were made from what is in the photo now.

    Raises UserError where a file in the place of one was not made from the same photo. Finished kernels that nothing is
    recorded of count as those of the photo.
    """
    kernels = _finished_kernels(stems)
    for photo, stem in stems.items():
        picture, *others = (with_suffix(stem, suffix) for suffix in (PICTURE, *SUFFIXES))
        there = [file for file in (picture, *others) if file.exists()]
        own = record.is_of(picture, photo) or (photo in kernels and not record.knows(picture))
        if there and not own:
            raise UserError(refused(there[0], photo))
        if record.knows(picture) and not record.is_whole(picture, photo):
            kernels.pop(photo, None)  # the photo has changed since, or the estimate was broken off
    return kernels


def _finished_kernels(stems: Mapping[Path, Path]) -> dict[Path, np.ndarray]:
    """Return the kernels of the photos whose outputs, at `stems`, are all there and readable."""
    kernels = {}
    for photo, stem in stems.items():
        if all(with_suffix(stem, suffix).exists() for suffix in (PICTURE, *SUFFIXES)):
            try:
                kernels[photo] = read_kernel(with_suffix(stem, SUFFIXES[0]))
            except UserError:
                continue  # a broken file is estimated anew
    return kernels


def _run_groups(
    todo: Mapping[Path, Path], options: KernelGANOptions, log: Log, record: OutputRecord, progress: Progress | None
) -> Iterator[tuple[dict[Path, np.ndarray], dict[Path, str]]]:
    """Yield the kernels and failures of as many photos at once as the devices can take."""
    remove_remains_of(with_suffix(stem, suffix) for stem in todo.values() for suffix in (PICTURE, *SUFFIXES))
    items, size = list(todo.items()), max(runs_per_batch() // options.seeds, 1)
    steps_per_photo = options.steps * options.seeds
    total = steps_per_photo * len(items)
    for first in range(0, len(items), size):
        part = progress and part_of(progress, steps_per_photo * first, total)
        yield _run_group(dict(items[first : first + size]), options, log, record, part)
    if progress is not None:
        progress(total, total)  # photos that failed are done, too


def _run_group(
    stems: Mapping[Path, Path], options: KernelGANOptions, log: Log, record: OutputRecord, progress: Progress | None
) -> tuple[dict[Path, np.ndarray], dict[Path, str]]:
    """Return the kernels of the photos that are the keys of `stems`, written to the values, and why some have none."""
    photos, failures = _readable(stems)
    if not photos:
        return {}, failures
    for path in photos:
        record.begin(with_suffix(stems[path], PICTURE), path)
    draw = _picture_writer([stems[path] for path in photos], options.scale) if options.pictures_every else None
    estimates = estimate_kernels(list(photos.values()), options, progress=progress, on_kernels=draw)
    kernels: dict[Path, np.ndarray] = {}
    for path, runs in zip(photos, estimates, strict=True):
        if options.log_every:
            try:
                log(path, runs)
            except OSError as error:  # the kernels, which took longer, are worth more
                logging.warning("%s: its losses are not logged: %s", path, error)
        try:
            kernels[path] = write_estimate(stems[path], runs, options.scale)
            record.finish(with_suffix(stems[path], PICTURE))
            warn_of_width(path, runs)
        except FAILURES as error:
            failures[path] = failure_line(path, error)
    return kernels, failures


def _readable(paths: Iterable[Path]) -> tuple[dict[Path, np.ndarray], dict[Path, str]]:
    """Return the photos (H, W, 3) whose kernels can be estimated, and why the others cannot."""
    photos: dict[Path, np.ndarray] = {}
    failures: dict[Path, str] = {}
    for path in paths:
        try:
            photo = rgb_photo(path)
            check_photo(photo)
        except FAILURES as error:
            failures[path] = failure_line(path, error)
        else:
            photos[path] = photo
    return photos, failures


def _picture_writer(stems: Sequence[Path], scale: int) -> OnKernels:
    """Return what `estimate_kernels` calls with its kernels so far: it writes their pictures to `stems`."""

    def write(step: int, kernels: dict[int, np.ndarray]) -> None:
        for index, kernel in kernels.items():
            write_picture(stems[index], combine([Estimate(0, kernel, np.zeros(0))], scale), scale)

    return write
