"""One photo from the page restored into files, by the same functions as `python -m jaxsr.restore`."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from jaxsr.api.named_models import split_options
from jaxsr.api.restorers import Restorer, open_restorer
from jaxsr.data.images import photo_size
from jaxsr.gui.visitors import Visitor
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.saving import SaveOptions
from jaxsr.support.errors import FAILURES, UserError, failure_line
from jaxsr.support.messages import one_line

MEGA = 1_000_000


class Cancelled(Exception):
    """The visitor cancelled the restoration."""


@dataclasses.dataclass(frozen=True)
class PhotoRequest:
    """What a visitor asks for.

    Attributes:
        photo: the uploaded file; None where there is none yet.
        model: a name, a weight file or a run folder.
        scale: how many times larger.
        format: the suffix of the result, without a dot.
        ensemble: whether to average over 8 flips and turns.
        rounds: of DAN; 0 for other models.
        steps: of ZSSR at most; 0 for other models.
        kernel: of ZSSR: a kernel file, "estimate", or "" for bicubic's.
        references: photos that SRNTT takes texture from.
    """

    photo: str | None
    model: str
    scale: int
    format: str = "png"
    ensemble: bool = False
    rounds: int = 0
    steps: int = 0
    kernel: str = ""
    references: Sequence[str] = ()

    @property
    def model_text(self) -> str:
        """The model with its own options, as `--model` takes it; those that were typed behind its name stay."""
        _, typed = split_options(self.model.strip())
        kernel = f"({self.kernel!r})" if "," in self.kernel else self.kernel  # a comma would end the option
        own = {"rounds": self.rounds, "steps": self.steps, "kernel": kernel}
        asked = [f"{name}={value}" for name, value in own.items() if value and name not in typed]
        return ",".join([self.model.strip(), *asked])


@dataclasses.dataclass(frozen=True)
class PhotoResult:
    """The files that came of a photo: `output`, and what the model wrote beside it, in folders of `output.parent`."""

    photo: Path
    output: Path
    restorer: Restorer
    seconds: float

    @property
    def rounds(self) -> list[Path]:
        """The image of each of DAN's rounds, in order."""
        count = len(list((self.output.parent / "rounds").glob("*")))
        names = (f"{self.output.stem}-{i}{self.output.suffix}" for i in range(1, count + 1))
        return [self.output.parent / "rounds" / name for name in names]

    @property
    def kernel_files(self) -> list[Path]:
        """The kernels that were estimated, as files and as a picture."""
        return sorted((self.output.parent / "kernels").glob("*"))


def check_size(path: Path, max_megapixels: float) -> None:
    """Raise UserError where the photo in the file `path` has more than `max_megapixels`.

    One whose header cannot be read passes: reading it says what is wrong with it.
    """
    height, width = photo_size(path, max_pixels=math.inf) or (0, 0)
    if height * width > max_megapixels * MEGA:
        raise UserError(
            f"{path.name} has {height * width / MEGA:.2f} megapixels; this page takes {max_megapixels:g}; "
            "make it smaller, or start the page with a larger --max_megapixels"
        )


def restore_upload(
    request: PhotoRequest, visitor: Visitor, *, max_megapixels: float, progress: Callable[[int, int, str], object]
) -> PhotoResult:
    """Return the files of the restored photo of `request`, in a new folder of `visitor`.

    `progress(done, total, unit)` is called between tiles or training steps. Raises UserError with one line that names
    the photo without its folder, and Cancelled where the visitor asked for that.
    """
    if not request.photo:
        raise UserError("no photo yet; drop one, or choose an example")
    photo = Path(request.photo)
    for path in (photo, *map(Path, request.references)):
        check_size(path, max_megapixels)
    began = time.monotonic()
    options = RestoreOptions(ensemble=request.ensemble, reference=tuple(request.references))
    restorer = open_restorer(request.model_text, scale=request.scale, options=options)

    def step(done: int, total: int) -> None:
        if visitor.cancelled.is_set():
            raise Cancelled
        progress(done, total, restorer.unit)

    step(0, 1)
    output = visitor.new_folder() / f"{photo.stem}.{request.format}"
    _restore(restorer, photo, output, SaveOptions(max_pixels=int(max_megapixels * MEGA)), step)
    return PhotoResult(photo, output, restorer, time.monotonic() - began)


def _restore(
    restorer: Restorer, photo: Path, output: Path, saving: SaveOptions, progress: Callable[[int, int], None]
) -> None:
    """Write the restored `photo` to `output`; raises UserError where that fails."""
    try:
        (batch,) = restorer.batches([photo])
        failures = restorer.restore_files(dict.fromkeys(batch, output), saving=saving, progress=progress)
    except FAILURES as error:
        failures = {photo: failure_line(photo, error)}
    for failure in failures.values():
        raise UserError(plain_line(failure, photo))


def plain_line(failure: str, *files: Path) -> str:
    """Return `failure` as one line that names uploaded `files` without the folders they lie in."""
    for file in files:
        failure = failure.replace(str(file), file.name)
    return one_line(failure)
