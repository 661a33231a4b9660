"""Paired sets in a folder: HR photos, LR or blurred ones, the kernels between, and pairs.json, their list."""

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from jaxsr.data.blurred_pairs import BLUR, SHARP, find_pairs, holds_pairs, is_scene
from jaxsr.data.images import Photo, read_pixels, write_photo
from jaxsr.data.kernel_files import write_kernel
from jaxsr.data.output_names import output_paths
from jaxsr.degradations.table import degradation_of
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.pairs import Pair, make_pairs
from jaxsr.evaluation.sources import Source
from jaxsr.imaging.pixels import to_levels
from jaxsr.support.errors import FAILURES, UserError, failure_line
from jaxsr.support.files import written_whole
from jaxsr.support.paths import exists, is_file
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
    both with 8 bits, the kernel of each to `kernels`. The list comes last: a folder with one is complete.
    `progress(done, total)` is called after each photo. Raises UserError for options that do not fit, and a folder that
    holds a set already.
    """
    folder = Path(folder)
    options.check(scale)
    if exists(folder / LIST) or is_scene(folder):
        raise UserError(f"{folder} holds a paired set already; choose another folder, or remove that one")
    if options.degradation == "bicubic":
        options = dataclasses.replace(options, quantize_lr=True)
    hr_folder, lr_folder = (SHARP, BLUR) if scale == 1 else ("hr", f"lr_x{scale}")
    outputs, entries, failures = output_paths(photos, folder / hr_folder), [], []
    for done, (photo, output) in enumerate(zip(photos, outputs, strict=True), start=1):
        try:
            name = output.relative_to(folder / hr_folder).with_suffix("").as_posix()
            pairs = make_pairs(name, read_pixels(photo), scale, options)
            write_photo(output, Photo(pairs[0].hr_levels))
            entries += [_write_pair(pair, output, folder, lr_folder) for pair in pairs]
        except FAILURES as error:
            failures.append(failure_line(photo, error))
        if progress is not None:
            progress(done, len(photos))
    if entries:
        facts = {"format": FORMAT, "kind": options.degradation, "scale": scale, "seed": options.seed}
        with written_whole(folder / LIST) as temporary:
            temporary.write_text(
                json.dumps(facts | _kernel_facts(options, scale) | {"pairs": entries}, indent=1) + "\n"
            )
    return len(entries), failures


def _kernel_facts(options: PairOptions, scale: int) -> dict[str, Json]:
    """Return what the list says of the kernels: their size, and how a camera shake was drawn."""
    _, size = degradation_of(options.degradation, scale, options.kernel_size)
    facts: dict[str, Json] = {"kernel_size": size} if size else {}
    if options.degradation == "motion":
        facts |= dict(zip(("exposures", "jitter"), options.shake, strict=True))
    return facts


def _write_pair(pair: Pair, hr: Path, folder: Path, lr_folder: str) -> dict[str, str]:
    """Write the LR photo and the kernel; return the pair's row in the list."""
    lr = folder / lr_folder / f"{pair.name}.png"
    write_photo(lr, Photo(to_levels(pair.lr)))
    row = {"sharp": hr, "small": lr}
    if pair.kernel is not None:
        row["kernel"] = folder / "kernels" / f"{pair.name}.npz"
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
