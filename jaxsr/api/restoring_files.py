"""What `python -m jaxsr.restore` does with files: which are to be done, and one batch after another."""

import dataclasses
import math
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from jaxsr.api.fingerprints import fingerprint
from jaxsr.api.restorers import NetworkRestorer, Restorer, restore_batch
from jaxsr.api.store_restoring import StoreRestorer
from jaxsr.data.codecs.photo_record import check_size
from jaxsr.data.images import check_writable, photo_size
from jaxsr.data.output_record import NAME, NoRecord, OutputRecord, outputs_to_keep, refused
from jaxsr.data.stores.object_stores import check_folder
from jaxsr.data.stores.store_paths import in_store, shown
from jaxsr.devices.meshes import on_accelerator
from jaxsr.devices.threads import in_threads
from jaxsr.restoration.saving import DEFAULT_SAVING, SaveOptions
from jaxsr.support.errors import UserError
from jaxsr.support.files import remove_remains_of
from jaxsr.support.paths import exists, make_folder
from jaxsr.support.progress import progress_bar

WORKERS = 4  # threads that read, restore by turns, and write, where an accelerator restores
BESIDE = {  # the folders beside an output, and the files that they may get for it
    "kernels": ("{stem}.png", "{stem}.npz", "{stem}.mat"),
    "matches": ("{stem}.png",),
    "rounds": tuple(f"{{stem}}-{number}{{suffix}}" for number in range(1, 17)),  # DAN's; more have no check
}


@dataclasses.dataclass
class RestoreRun:
    """The files of one run of `restore`, and what became of them.

    Attributes:
        restorer: what restores the photos.
        folder: that the outputs are in.
        todo: the output of each photo that is to be restored.
        skipped: those of photos whose outputs are whole.
        saving: how photos are read and saved.
        record: what made the outputs in the folder.
        failures: a line for each photo that failed.
        pixels: of the outputs that were written to folders; those in stores are not read again.
        seconds: that it took.
    """

    restorer: Restorer
    folder: Path
    todo: dict[Path, Path]
    skipped: dict[Path, Path]
    saving: SaveOptions
    record: OutputRecord
    failures: dict[Path, str] = dataclasses.field(default_factory=dict)
    pixels: int = 0
    seconds: float = 0.0

    def batches(self) -> Iterator[Sequence[Path]]:
        """Restore batch after batch, and yield the photos of each; one that fails does not stop the others."""
        began = time.monotonic()
        if not in_store(self.folder):
            make_folder(self.folder)
        elif self.todo:
            check_folder(self.folder)
        remove_remains_of([self.folder / NAME, *with_extras(self.todo.values())])
        try:
            for batch in self._finished():
                self.seconds = time.monotonic() - began
                yield batch
        finally:
            self.record.close()

    def summary(self) -> str:
        """Return how many photos were done, skipped and failed, in what time."""
        done = len(self.todo) - len(self.failures)
        line = f"done {done}, skipped {len(self.skipped)}, failed {len(self.failures)}; {self.seconds:.1f} seconds"
        if in_store(self.folder):
            return line
        speed = self.pixels / 1e6 / self.seconds if self.seconds else 0.0
        return f"{line}, {speed:.2f} megapixels written per second"

    def _finished(self) -> Iterator[Sequence[Path]]:
        """Restore batch after batch; yield the photos of each when it is recorded what became of them."""
        for batch, failures in in_threads(self._restored, self._begun(), self._workers()):
            self._note(batch, failures)
            yield batch

    def _workers(self) -> int:
        """Return how many batches are worked on at a time: photos are read and written beside an accelerator's work."""
        return WORKERS if on_accelerator() and isinstance(self.restorer, NetworkRestorer) else 1

    def _begun(self) -> Iterator[Sequence[Path]]:
        """Yield the batches, noting for each that it is begun."""
        for batch in self.restorer.batches(list(self.todo)):
            for path in batch:
                self.record.begin(self.todo[path], path)
            yield batch

    def _restored(self, batch: Sequence[Path]) -> dict[Path, str]:
        """Restore the photos of a batch; return a line for each that failed."""
        outputs = {path: self.todo[path] for path in batch}
        if self._workers() > 1:  # several bars would overwrite each other
            return restore_batch(self.restorer, outputs, self.saving)
        with progress_bar(batch, self.restorer.unit) as progress:
            return restore_batch(self.restorer, outputs, self.saving, progress)

    def _note(self, batch: Sequence[Path], failures: Mapping[Path, str]) -> None:
        """Record the outputs of `batch` as whole, but for the photos in `failures`."""
        self.failures |= failures
        for path in batch:
            if path not in failures:
                self.record.finish(self.todo[path])
                height, width = photo_size(self.todo[path]) or (0, 0)
                self.pixels += height * width


def plan_run(
    restorer: Restorer,
    outputs: Mapping[Path, Path],
    folder: Path,
    *,
    saving: SaveOptions = DEFAULT_SAVING,
    skip_existing: bool = False,
    overwrite: bool = False,
) -> RestoreRun:
    """Return the run that makes `outputs`, the output of each photo, in `folder`; nothing is written yet.

    With `skip_existing` photos are skipped whose outputs are whole and were made from the same photo by the same model
    with the same options; where photos or outputs are in an object store, which has no record of that, those whose
    outputs are there. Raises UserError as `outputs_to_keep` does, also for the files that are written beside outputs.
    """
    if any(map(in_store, (*outputs, folder))):
        restorer, record = StoreRestorer(restorer), NoRecord(folder)
    else:
        record = OutputRecord(folder, fingerprint(restorer, saving))
    skipped = outputs_to_keep(outputs, record, skip_existing=skip_existing, overwrite=overwrite)
    todo = {path: output for path, output in outputs.items() if path not in skipped}
    beside = {output: files_beside(output, restorer.folders_beside) for output in outputs.values()}
    _check_places(beside)
    if not (overwrite or in_store(folder)):
        _check_foreign(todo, beside, record)
    return RestoreRun(restorer, folder, todo, skipped, saving, record)


def with_extras(outputs: Iterable[Path]) -> Iterator[Path]:
    """Yield `outputs`, and the files that a network may write beside them."""
    for output in outputs:
        yield output
        yield from files_beside(output, tuple(BESIDE))


def files_beside(output: Path, folders: Collection[str]) -> list[Path]:
    """Return the files that may be written for `output` into those of the `folders` beside it, keys of BESIDE."""
    names = [(folder, name) for folder in folders for name in BESIDE[folder]]
    return [output.parent / folder / name.format(stem=output.stem, suffix=output.suffix) for folder, name in names]


def _check_places(beside: Mapping[Path, Sequence[Path]]) -> None:
    """Raise UserError where a file `beside` an output (a key) would take the place of another output."""
    for output, files in beside.items():
        if taken := [file for file in files if file in beside]:
            raise UserError(
                f"{shown(taken[0])} would be the result of one photo, and what is written beside {shown(output)}, that "
                f"of another; restore the folder {taken[0].parent.name} by itself, into another output folder"
            )


def _check_foreign(todo: Mapping[Path, Path], beside: Mapping[Path, Sequence[Path]], record: OutputRecord) -> None:
    """Raise UserError where a file `beside` the output of a photo is there, and that output is not of this photo."""
    for photo, output in todo.items():
        there = [file for file in beside[output] if exists(file)]
        if there and not record.is_of(output, photo):
            raise UserError(refused(there[0], photo))


def planned_lines(run: RestoreRun) -> Iterator[tuple[str, bool]]:
    """Yield for each photo a line that says what the run would do, and whether it would fail."""
    for path, output in run.skipped.items():
        yield f"{shown(path)} -> {shown(output)} (skipped: there already)", False
    for path, output in run.todo.items():
        try:
            yield f"{shown(path)} -> {shown(output)} ({_planned_sizes(run, path, output)})", False
        except UserError as error:
            yield f"{shown(path)}: would fail: {error}", True


def _planned_sizes(run: RestoreRun, path: Path, output: Path) -> str:
    """Return what is said of a photo's size and its output's; raises UserError where the run would refuse it."""
    if in_store(path):
        return "size unknown: not fetched"
    size = photo_size(path, max_pixels=math.inf)
    if size is None:
        raise UserError("its size cannot be read; restore it to see why")
    check_size(size[1], size[0], run.saving.max_pixels)
    height, width = run.saving.final_size(size, run.restorer.scale)
    check_writable(output, (height, width), depth=run.saving.depth or 8)
    return f"{size[1]} x {size[0]} to {width} x {height} pixels"
