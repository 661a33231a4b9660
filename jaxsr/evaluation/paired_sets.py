"""Paired sets in a folder: HR photos, LR or blurred ones, the kernels between, and pairs.json, their list."""

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from jaxsr.data.blurred_pairs import BLUR, SHARP, find_pairs, holds_pairs, is_scene
from jaxsr.data.images import Photo, read_pixels, write_photo
from jaxsr.data.kernel_files import write_kernel
from jaxsr.data.output_names import check_inputs, output_paths
from jaxsr.data.output_record import NAME, OutputRecord
from jaxsr.degradations.table import degradation_of
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.pairs import Pair, make_pairs, pair_names
from jaxsr.evaluation.sources import Source
from jaxsr.imaging.pixels import to_levels
from jaxsr.support.errors import FAILURES, UserError, failure_line
from jaxsr.support.files import written_whole
from jaxsr.support.paths import exists, is_file, make_folder
from jaxsr.support.types import Json, Progress

LIST = "pairs.json"
FORMAT = 1


def make_set(
    photos: Collection[Path] | Mapping[Path, Path],
    folder: str | Path,
    *,
    scale: int,
    options: PairOptions,
    progress: Progress | None = None,
) -> tuple[int, list[str]]:
    """Write the pairs of `photos` to `folder` and return their number, and a line for each photo that failed.

    The names are those of `output_paths`.

    HR photos go to `hr`, cut to multiples of `scale`, LR photos to `lr_x<scale>` (by "motion", to `sharp` and `blur`),
    both with 8 bits, the kernel of each to `kernels`. The list comes last: a folder with one is complete. Until then a
    record of outputs says which files an interrupted run made, and the next may replace. `progress(done, total)` is
    called after each photo. Raises UserError for options that do not fit, a folder that holds a set already or one of
    `photos`, and one with a file in the place of another that was not made from the same photo.
    """
    folder = Path(folder)
    options.check(scale)
    if exists(folder / LIST) or is_scene(folder):
        raise UserError(f"{folder} holds a paired set already; choose another folder, or remove that one")
    check_inputs(photos, folder)
    if options.degradation == "bicubic":
        options = dataclasses.replace(options, quantize_lr=True)
    hr_folder, lr_folder = (SHARP, BLUR) if scale == 1 else ("hr", f"lr_x{scale}")
    outputs = dict(zip(photos, output_paths(photos, folder / hr_folder), strict=True))
    record = OutputRecord(folder, f"degrade {options.degradation}")
    names = {photo: path.relative_to(folder / hr_folder).with_suffix("").as_posix() for photo, path in outputs.items()}
    files = {photo: [outputs[photo], *_files(folder, lr_folder, names[photo], scale, options)] for photo in outputs}
    _check_own(files, record)
    make_folder(folder)
    entries, failures = [], []
    for done, (photo, output) in enumerate(outputs.items(), start=1):
        try:
            pairs = make_pairs(names[photo], read_pixels(photo), scale, options)
            for file in files[photo]:
                record.begin(file, photo)
            write_photo(output, Photo(pairs[0].hr_levels))
            entries += [_write_pair(pair, output, folder, lr_folder) for pair in pairs]
        except FAILURES as error:
            failures.append(failure_line(photo, error))
        if progress is not None:
            progress(done, len(photos))
    if entries:
        facts = {"format": FORMAT, "kind": options.degradation, "scale": int(scale), "seed": int(options.seed)}
        with written_whole(folder / LIST) as temporary:
            temporary.write_text(
                json.dumps(facts | _kernel_facts(options, scale) | {"pairs": entries}, indent=1) + "\n"
            )
        (folder / NAME).unlink(missing_ok=True)
    return len(entries), failures


def _files(folder: Path, lr_folder: str, name: str, scale: int, options: PairOptions) -> list[Path]:
    """Return the LR photo, and the kernel if the kind has some, of each pair of the photo `name`."""
    names = pair_names(name, scale, options)
    _, kernel_size = degradation_of(options.degradation, scale, options.kernel_size)
    small = [_small(folder, lr_folder, each) for each in names]
    return small + [_kernel(folder, each) for each in names] if kernel_size else small


def _small(folder: Path, lr_folder: str, name: str) -> Path:
    return folder / lr_folder / f"{name}.png"


def _kernel(folder: Path, name: str) -> Path:
    return folder / "kernels" / f"{name}.npz"


def _check_own(files: Mapping[Path, Sequence[Path]], record: OutputRecord) -> None:
    """Raise UserError where one of the `files` of a photo (a key) is there and was not made from it."""
    for photo, own in files.items():
        if taken := [file for file in own if exists(file) and not record.is_of(file, photo)]:
            raise UserError(
                f"{taken[0]} is there already and was not made from {photo}; choose another output folder, or move it "
                "away"
            )


def _kernel_facts(options: PairOptions, scale: int) -> dict[str, Json]:
    """Return what the list says of the kernels: their size, and how a camera shake was drawn."""
    _, size = degradation_of(options.degradation, scale, options.kernel_size)
    facts: dict[str, Json] = {"kernel_size": size} if size else {}
    if options.degradation == "motion":
        facts |= dict(zip(("exposures", "jitter"), options.shake, strict=True))
    return facts


def _write_pair(pair: Pair, hr: Path, folder: Path, lr_folder: str) -> dict[str, str]:
    """Write the LR photo and the kernel; return the pair's row in the list."""
    lr = _small(folder, lr_folder, pair.name)
    write_photo(lr, Photo(to_levels(pair.lr)))
    row = {"sharp": hr, "small": lr}
    if pair.kernel is not None:
        row["kernel"] = _kernel(folder, pair.name)
        write_kernel(row["kernel"], pair.kernel)
    return {**{name: path.relative_to(folder).as_posix() for name, path in row.items()}, "made": pair.resizer}


@dataclasses.dataclass(frozen=True)
class PairedSet:
    """The files of a set that `make_set` wrote, or of photos in `blur` and `sharp`, whose kind is "given"."""

    kind: str
    scale: int
    seed: int
    sources: Sequence[Source]


def is_set(folder: str | Path) -> bool:
    """Return whether `folder` holds a paired set."""
    return is_file(Path(folder) / LIST) or holds_pairs(folder)


def read_set(folder: str | Path) -> PairedSet:
    """Return the set in `folder`; raises UserError where its list is missing, broken or of a later version.

    Photos in `blur` and `sharp` need no list: their names pair them, or UserError names the first that has no partner.
    """
    path = Path(folder) / LIST
    if not is_file(path) and holds_pairs(folder):
        sources = [Source(pair.sharp, pair.blurred, name=pair.name) for pair in find_pairs(folder)]
        return PairedSet("given", 1, 0, sources)
    try:
        facts = json.loads(path.read_text("utf-8"))
        if facts["format"] > FORMAT:
            raise UserError(f"{path} has format {facts['format']}, this version reads up to {FORMAT}; upgrade jaxsr")
        return PairedSet(facts["kind"], facts["scale"], facts["seed"], list(_sources(facts["pairs"], path.parent)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{path} is not a list of pairs ({error}); make the set again: python -m jaxsr.degrade"
        ) from error


def _sources(rows: list[dict[str, str]], folder: Path) -> Iterator[Source]:
    for row in rows:
        kernel = folder / row["kernel"] if "kernel" in row else None
        name = Path(*Path(row["small"]).parts[1:]).with_suffix("").as_posix()  # below lr_x2 or blur
        yield Source(folder / row["sharp"], folder / row["small"], kernel, row["made"], name=name)
