"""Photos restored by several models, as one page to compare them on: `python -m jaxsr.compare`."""

from collections.abc import Callable, Sequence
from pathlib import Path

from jaxsr.api.comparisons.compare_options import CompareOptions
from jaxsr.api.comparisons.compared_photos import ComparedPhotos
from jaxsr.api.comparisons.comparison_models import open_models, takes_references
from jaxsr.api.restorers import Restorer
from jaxsr.data.listing import list_in_order, list_photos, pair_by_name
from jaxsr.data.output_names import shown_names
from jaxsr.pages.records import Comparison
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.paths import make_folder, output_file, real_path
from jaxsr.support.types import Progress

SUFFIXES = (".html", ".htm")


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
        UserError: before any work, for a wrong ending of `output`, sharp photos without a pair, references that no
            model takes, and if no model opens.
    """
    output = _checked(output_file(output, "--output"), photos)
    sharp = _sharp_files(photos, options.sharp)
    restorers, failed = _opened(models, options)
    for line in failed:
        on_failure(line)
    make_folder(output.parent)
    page, report = ComparedPhotos(restorers, options, failures=failed), progress or (lambda done, total: None)
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
    """Return the models, and a line for each that fails; UserError where all fail, or none takes references."""
    restorers, failed = open_models(
        models,
        scale=options.scale,
        reference=list_in_order(options.reference),
        engine=options.engine,
        precision=options.precision,
    )
    if not restorers:
        raise UserError("; ".join(failed))
    if options.reference and not failed and not any(map(takes_references, restorers.values())):
        raise UserError("none of the models takes a reference; leave it out, or add srntt")
    return restorers, failed


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
