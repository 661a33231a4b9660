"""Photos restored by several models, as one page to compare them on: `python -m jaxsr.compare`."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jaxsr.api.comparisons.comparison_layers import SharpPhoto, layer_of, original_layer, sharp_layer
from jaxsr.api.comparisons.comparison_models import open_models, scale_of
from jaxsr.api.restorers import NetworkRestorer, Restorer
from jaxsr.data.images import NO_METADATA, Photo, read_photo
from jaxsr.data.listing import list_photos, pair_by_name
from jaxsr.data.output_names import shown_names
from jaxsr.engines.engine_choice import AUTO, check_engine
from jaxsr.metrics.protocols import PROTOCOLS
from jaxsr.pages.comparison_page import render
from jaxsr.pages.records import Comparison
from jaxsr.restoration.precision_choice import CHOICES
from jaxsr.support.errors import UserError, choose
from jaxsr.support.files import written_whole
from jaxsr.support.paths import make_folder, output_file, real_path
from jaxsr.support.types import Progress

SUFFIXES = (".html", ".htm")
MAX_PAGE = 60_000_000  # bytes of pictures; base64 makes a third more of them, and browsers decode all at once


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """How photos are compared.

    Attributes:
        scale: how many times larger, for models that leave it open; by default that of the first model that does not.
        sharp: the sharp photo of a single photo, or a folder of them, by name or in order.
        reference: for SRNTT: photos to take texture from.
        side: the longest side of a picture on the page, in pixels; of larger photos a part is restored.
        at: where that part has its middle, as parts of width and height.
        protocol: of the scores.
        engine: of the networks, as in RestoreOptions.
        precision: what networks compute in, as in RestoreOptions; zssr computes in float32.
    """

    scale: int | None = None
    sharp: str | None = None
    reference: tuple[str, ...] = ()
    side: int = 1024
    at: tuple[float, float] = (0.5, 0.5)
    protocol: str = "y"
    engine: str = AUTO
    precision: str = "float32"

    def __post_init__(self) -> None:
        """Raise UserError for values that cannot be used."""
        check_engine(self.engine)
        choose("protocol", self.protocol, PROTOCOLS)
        choose("precision", self.precision, dict.fromkeys(CHOICES))
        if not 64 <= self.side <= 8192:
            raise UserError(f"side={self.side} is not a side length of a picture; use 64 to 8192 pixels")
        if not (len(self.at) == 2 and all(0 <= part <= 1 for part in self.at)):
            raise UserError(f"at={self.at} is not a place in a photo; use two parts from 0 to 1, such as 0.5,0.5")


def compare(
    photos: Sequence[Path],
    models: Sequence[str],
    output: str | Path,
    *,
    options: CompareOptions,
    progress: Progress | None = None,
    on_failure: Callable[[str], None] = lambda line: None,
) -> list[Comparison]:
    """Write the page `output` with each of `photos` restored by each of `models`; return what it shows.

    Args:
        photos: files.
        models: names as `open_restorer` takes them.
        output: the page; it is written whole, and not at all where it would show nothing.
        options: how they are compared.
        progress: `progress(done, total)` counts photos times models.
        on_failure: gets a line for each photo and model that fails. The page names them, too.

    Raises:
        UserError: before any work, for a wrong ending of `output`, sharp photos without a pair, and if no model opens.
    """
    output = _checked(output_file(output, "--output"), photos)
    sharp = _sharp_files(photos, options.sharp)
    restorers, failed = _opened(models, options)
    for line in failed if restorers else ():
        on_failure(line)
    if not restorers:
        raise UserError("; ".join(failed))
    make_folder(output.parent)
    page, report = _Page(restorers, options, failures=failed), progress or (lambda done, total: None)
    for number, (path, name) in enumerate(shown_names(photos).items()):
        before, done, total = len(page.failures), number * len(restorers), len(photos) * len(restorers)
        page.add(path, name, sharp.get(path), lambda count, done=done, total=total: report(done + count, total))
        for line in page.failures[before:]:
            on_failure(line)
        report(done + len(restorers), total)
    if page.comparisons:
        _write(output, page.html())
    return page.comparisons


def _opened(models: Sequence[str], options: CompareOptions) -> tuple[dict[str, Restorer], list[str]]:
    return open_models(
        models,
        scale=options.scale,
        reference=options.reference,
        engine=options.engine,
        precision=options.precision,
    )


def _write(output: Path, html: str) -> None:
    with written_whole(output) as temporary:
        temporary.write_bytes(html.encode("utf-8", "replace"))  # file names may be no text


def _checked(output: Path, photos: Sequence[Path]) -> Path:
    """Return `output`, or raise UserError unless a page can have that name."""
    if output.suffix.lower() not in SUFFIXES:
        raise UserError(f"{output} is not the name of a page; it must end in {' or '.join(SUFFIXES)}")
    if real_path(output) in map(real_path, photos):
        raise UserError(f"{output} would overwrite an input; choose another name")
    return output


def _sharp_files(photos: Sequence[Path], sharp: str | None) -> dict[Path, Path]:
    """Return the file of the sharp photo of each of `photos`; {} without `sharp`. UserError where they do not pair."""
    if sharp is None:
        return {}
    files = list_photos([sharp])
    if len(photos) == 1 and len(files) == 1:
        return {photos[0]: files[0]}
    stems = {path.stem for path in photos}
    files = [path for path in files if path.stem in stems] or files
    return {photo: hr for hr, photo in pair_by_name(files, photos, kinds=("sharp", "other"))}


class _Page:
    """The page while photos are added to it; `failures` are lines for standard error and the head of the page."""

    def __init__(self, restorers: Mapping[str, Restorer], options: CompareOptions, *, failures: Sequence[str]) -> None:
        self._restorers, self._options = restorers, options
        self.comparisons: list[Comparison] = []
        self.failures = list(failures)
        self._head = list(failures)  # those that belong to no photo that is shown

    def add(self, path: Path, name: str, sharp: Path | None, report: Callable[[int], object]) -> None:
        """Restore the photo in the file `path` by every model, or note why it cannot be shown; the page says `name`.

        `report(count)` is called after each model.
        """
        try:
            comparison = self._compared(path, name, sharp, report)
            if sum(each.size for each in [*self.comparisons, comparison]) > MAX_PAGE:
                limit = f"the page would hold more than {MAX_PAGE // 10**6} MB of pictures"
                raise UserError(f"{path}: {limit}; give fewer photos, or a smaller --side")
        except UserError as error:
            self.failures.append(str(error))
            self._head.append(str(error).replace(str(path), name))
        else:
            self.comparisons.append(comparison)
            self.failures += [f"{path}: {line}" for line in comparison.failures]

    def html(self) -> str:
        """Return the page."""
        protocol, facts = PROTOCOLS[self._options.protocol], []
        if self._options.sharp is not None:
            facts = [
                f"Scores: PSNR in dB and SSIM on {protocol.channel}; {protocol.rounding}; {protocol.border}; SSIM: "
                f"{protocol.ssim}; {_precisions(self._restorers)}."
            ]
        return render(self.comparisons, failures=self._head, facts=facts)

    def _compared(self, path: Path, name: str, sharp: Path | None, report: Callable[[int], object]) -> Comparison:
        """Return what the page shows of one photo under `name`; raises UserError where that is nothing."""
        whole = dataclasses.replace(read_photo(path), metadata=NO_METADATA)  # a page is shown to others
        photo, corner = _part(whole, self._options, max(scale_of(each) for each in self._restorers.values()))
        failures, hr = [], None
        try:
            hr = SharpPhoto.read(sharp, whole, photo, corner) if sharp else None
        except UserError as error:
            failures.append(str(error))
        layers = [original_layer(photo, hr, self._options.protocol)]
        for count, (model, restorer) in enumerate(self._restorers.items(), start=1):
            try:
                layers.append(layer_of(model, restorer, photo, hr, self._options.protocol))
            except UserError as error:
                failures.append(f"{model}: {error}")
            report(count)
        if len(layers) == 1:
            raise UserError(f"{path}: {'; '.join(failures)}")
        if hr is not None:
            layers.append(sharp_layer(hr))
        return Comparison(name, tuple(layers), _facts(whole, photo, corner), tuple(failures))


def _precisions(restorers: Mapping[str, Restorer]) -> str:
    """Return what is said of the precision of `restorers`: one for all, or that of each."""
    each = {name: x.options.precision if isinstance(x, NetworkRestorer) else "float32" for name, x in restorers.items()}
    if len(set(each.values())) == 1:
        return f"computed in {next(iter(each.values()))}"
    return "computed in " + ", ".join(f"{precision} ({name})" for name, precision in each.items())


def _part(photo: Photo, options: CompareOptions, scale: int) -> tuple[Photo, tuple[int, int]]:
    """Return the part of `photo` whose enlargement by `scale` fits the page, and its top left corner (row, column)."""
    sides = [min(length, options.side // scale) for length in photo.pixels.shape[:2]]
    middle = (options.at[1], options.at[0])
    places = zip(photo.pixels.shape[:2], sides, middle, strict=True)
    top, left = (min(max(round(part * length - side / 2), 0), length - side) for length, side, part in places)
    rows, columns = slice(top, top + sides[0]), slice(left, left + sides[1])
    alpha = None if photo.alpha is None else photo.alpha[rows, columns]
    return dataclasses.replace(photo, pixels=photo.pixels[rows, columns], alpha=alpha), (top, left)


def _facts(whole: Photo, part: Photo, corner: tuple[int, int]) -> tuple[str, ...]:
    """Return the line about the photo's size, and which part of it is shown."""
    (height, width), (rows, columns) = whole.pixels.shape[:2], part.pixels.shape[:2]
    line = f"{width}x{height} pixels"
    if (rows, columns) != (height, width):
        line += f"; shown and restored is the part of {columns}x{rows} at column {corner[1]}, row {corner[0]}"
    return (line,)
