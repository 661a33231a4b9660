"""Photos restored from an object store to another: fetched, restored as local files, and put when they are whole."""

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from jaxsr.api.restorers import Restorer, restore_batch
from jaxsr.data.images import Photo
from jaxsr.data.stores.object_stores import fetch, put
from jaxsr.data.stores.store_paths import in_store, shown
from jaxsr.devices.threads import in_threads
from jaxsr.restoration.saving import DEFAULT_SAVING, SaveOptions
from jaxsr.support.errors import FAILURES
from jaxsr.support.types import Progress

STAGED = 32  # photos that are on this machine at a time
MOVERS = 8  # threads that fetch and put, which mostly wait


@dataclasses.dataclass(frozen=True)
class StagedPhoto:
    """A photo and its output as the user named them, and where they are on this machine meanwhile.

    Paths that are in no store are used where they are.
    """

    photo: Path
    output: Path
    folder: Path

    @property
    def photo_here(self) -> Path:
        """The local file of the photo."""
        return self.folder / "photo" / self.photo.name if in_store(self.photo) else self.photo

    @property
    def output_here(self) -> Path:
        """The local file of the output; extras lie beside it."""
        return self.folder / "output" / self.output.name if in_store(self.output) else self.output

    def fetch(self) -> str:
        """Copy the photo to this machine; return why that failed, or ""."""

        def move() -> None:
            if in_store(self.photo):
                self.photo_here.parent.mkdir(parents=True)
                fetch(self.photo, self.photo_here)

        return self._failure(move)

    def put(self) -> str:
        """Copy the output to its store, after the extras beside it; return why that failed, or ""."""

        def move() -> None:
            if in_store(self.output):
                beside = self.output_here.parent
                extras = {file for file in beside.rglob("*") if file.is_file()} - {self.output_here}
                for file in (*sorted(extras), self.output_here):  # an output that is there has its extras
                    put(file, self.output.parent / file.relative_to(beside))
            shutil.rmtree(self.folder, ignore_errors=True)  # others of the batch may need the room

        return self._failure(move)

    def named(self, line: str) -> str:
        """Return `line` with the names that the user gave."""
        for here, given in (
            (self.photo_here, self.photo),
            (self.output_here, self.output),
            (self.output_here.parent, self.output.parent),
        ):
            if here != given:
                line = line.replace(str(here), shown(given))
        return line

    def _failure(self, move: Callable[[], None]) -> str:
        try:
            move()
        except FAILURES as error:
            line = self.named(str(error))
            return line if shown(self.photo) in line else f"{shown(self.photo)}: {line}"
        return ""


@dataclasses.dataclass(frozen=True)
class StoreRestorer:
    """A restorer for photos and outputs of which some are in stores; `inner` restores what was fetched.

    A photo that cannot be fetched, restored or put gets a line, as others get, and the others are done. What is put
    replaces what is there; doing the same photos once more, as Ray may, leaves what doing them once does. Temporary
    files are removed but where the process is killed, which leaves those of at most STAGED photos in the machine's
    temporary folder.
    """

    inner: Restorer

    @property
    def name(self) -> str:
        """The system with its scale."""
        return self.inner.name

    @property
    def unit(self) -> str:
        """What progress is counted in."""
        return self.inner.unit

    @property
    def scale(self) -> int:
        """How many times larger."""
        return self.inner.scale

    @property
    def folders_beside(self) -> tuple[str, ...]:
        """The folders beside an output that get further files of its name."""
        return self.inner.folders_beside

    def restore(self, photo: Photo, *, progress: Progress | None = None) -> Photo:
        """Return `photo` restored."""
        return self.inner.restore(photo, progress=progress)

    def batches(self, paths: Sequence[Path]) -> list[list[Path]]:
        """Return the photos in lists that are fetched at once, to be sorted by size when they are here."""
        return [list(paths[start : start + STAGED]) for start in range(0, len(paths), STAGED)]

    def restore_files(
        self, outputs: Mapping[Path, Path], *, saving: SaveOptions = DEFAULT_SAVING, progress: Progress | None = None
    ) -> dict[Path, str]:
        """Fetch the photos `outputs` (keys), restore them and put them to its values; return why some are not.

        Outputs are put batch by batch, so that what is done stays when the process ends.
        """
        try:
            folder = tempfile.TemporaryDirectory(prefix="jaxsr-", ignore_cleanup_errors=True)
        except OSError as error:
            return {path: f"{shown(path)}: cannot make a temporary folder ({error}); set TMPDIR" for path in outputs}
        with folder as name:
            staged = [
                StagedPhoto(photo, output, Path(name) / str(number))
                for number, (photo, output) in enumerate(outputs.items())
            ]
            failures = _moved(StagedPhoto.fetch, staged)
            here = {photo.photo_here: photo for photo in staged if photo.photo not in failures}
            for batch in self.inner.batches(list(here)):
                photos = {path: here[path] for path in batch}
                local = {path: photo.output_here for path, photo in photos.items()}
                lines = restore_batch(self.inner, local, saving, progress)
                failures |= {here[path].photo: here[path].named(line) for path, line in lines.items()}
                failures |= _moved(StagedPhoto.put, [photos[path] for path in batch if path not in lines])
        return failures


def _moved(move: Callable[[StagedPhoto], str], photos: Collection[StagedPhoto]) -> dict[Path, str]:
    """Do `move` for each of `photos`, some at a time; return why some were not."""
    return {photo.photo: line for photo, line in in_threads(move, photos, MOVERS) if line}
