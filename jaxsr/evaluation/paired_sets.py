"""Paired sets in a folder: sharp photos, small or blurred ones, the kernels between, and pairs.json, their list."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsr.data.blurred_pairs import BLUR, SHARP, find_pairs, holds_pairs, is_scene
from jaxsr.data.images import Photo, photo_size, read_pixels, write_photo
from jaxsr.data.kernel_files import read_kernel, write_kernel
from jaxsr.data.listing import output_paths
from jaxsr.degradations.kernels import GAUSSIAN8_WIDTHS, draw_div2krk
from jaxsr.degradations.motion import ANXIETIES, EXPOSURES, check_shake
from jaxsr.evaluation.pairs import GIVEN, Pair, given_pair, key_of, make_pairs, shaken_pair, strided_pair
from jaxsr.imaging.color import round_to_levels
from jaxsr.support.errors import UserError, choose
from jaxsr.support.files import written_whole

LIST = "pairs.json"
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Kind:
    """How pairs are made of a photo: `make(name, pixels, scale, seed)`, with the `options` by name, for `scales`.

    The other photo of a pair has 8 bits. `folders` are those of the sharp photos and of these.
    """

    make: Callable[..., list[Pair]]
    scales: tuple[int, ...]
    folders: tuple[str, str] = ("hr", "lr_x{scale}")
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    check: Callable[..., None] = lambda **options: None


KINDS = {
    "bicubic": Kind(lambda name, pixels, scale, seed: make_pairs(name, pixels, scale, quantize_lr=True), (2, 3, 4, 8)),
    "gaussian8": Kind(
        lambda name, pixels, scale, seed: make_pairs(name, pixels, scale, degradation="isotropic"),
        tuple(GAUSSIAN8_WIDTHS),
    ),
    "div2krk": Kind(
        lambda name, pixels, scale, seed: [strided_pair(name, pixels, draw_div2krk(key_of(name, seed), scale), scale)],
        (2, 4),
    ),
    "motion": Kind(
        lambda name, pixels, scale, seed, **shake: [shaken_pair(name, pixels, seed=seed, **shake)],
        (1,),
        (SHARP, BLUR),
        {"kernel_size": 64, "exposures": EXPOSURES, "anxieties": ANXIETIES},
        check_shake,
    ),
}


@dataclasses.dataclass(frozen=True)
class Source:
    """The files of a pair: a sharp photo, and a small one and its blur kernel unless they are made when needed."""

    sharp: Path
    small: Path | None = None
    kernel: Path | None = None
    resizer: str = GIVEN  # how the small one was made
    references: tuple[Path, ...] = ()  # photos with texture for SRNTT
    name: str = ""  # where the sharp one's does not tell it from others

    @property
    def file(self) -> Path:
        """The file that gives its name: the small one in a set, where several can share the sharp one."""
        return self.sharp if self.small is None or self.resizer == GIVEN else self.small

    @property
    def stem(self) -> str:
        """What the names of its pairs begin with."""
        return self.name or self.file.stem

    def small_size(self, scale: int) -> tuple[int, int] | None:
        """Return the height and width of the small photos of its pairs; None for a broken file."""
        size = photo_size(self.small or self.sharp)
        return size if size is None or self.small else (size[0] // scale, size[1] // scale)

    def pairs(self, scale: int, **making: Any) -> list[Pair]:
        """Return the pair, or the pairs that `make_pairs` makes with the options `making`.

        Raises UserError for unreadable files and those that do not fit.
        """
        if self.small is None:
            return make_pairs(self.stem, read_pixels(self.sharp), scale, **making)
        pair = given_pair(self.stem, read_pixels(self.sharp), read_pixels(self.small), scale)
        kernel = None if self.kernel is None else read_kernel(self.kernel)
        return [dataclasses.replace(pair, resizer=self.resizer, kernel=kernel)]


def make_set(
    photos: Sequence[Path],
    folder: str | Path,
    *,
    kind: str,
    scale: int,
    seed: int = 0,
    progress: Any = iter,
    **options: Any,
) -> tuple[int, list[str]]:
    """Write the pairs of `photos` to `folder` and return their number, and a line for each photo that failed.

    Sharp photos go to `hr`, cut to multiples of `scale`, small ones to `lr_x<scale>` (of kind "motion", to `sharp` and
    `blur`), the kernel of each to `kernels`. The list comes last: a folder with one is complete. `options` are the
    kind's: of "motion", kernel_size, exposures and anxieties. Raises UserError for an unknown `kind` or option, a scale
    it does not have, and a folder that holds a set already.
    """
    folder, made = Path(folder), choose("kind", kind, KINDS)
    if scale not in made.scales:
        raise UserError(f"{kind} has no scale {scale}; choose one of: {', '.join(map(str, made.scales))}")
    for name in options:
        if name not in made.options:
            raise UserError(f"the kind {kind} takes no {name}; leave it out, or choose kind motion")
    options = {**made.options, **options}
    made.check(**options)
    if (folder / LIST).exists() or is_scene(folder):
        raise UserError(f"{folder} holds a paired set already; choose another folder, or remove that one")
    sharp, small = (name.format(scale=scale) for name in made.folders)
    outputs, entries, failures = output_paths(photos, folder / sharp), [], []
    for photo, output in zip(progress(photos), outputs, strict=True):
        try:
            pairs = made.make(output.stem, read_pixels(photo), scale, seed, **options)
        except UserError as error:
            failures.append(str(error))
            continue
        write_photo(output, Photo(pairs[0].pixels))
        entries += [_write_pair(pair, output, folder, small) for pair in pairs]
    if entries:
        facts = {"format": FORMAT, "kind": kind, "scale": scale, "seed": seed, **options, "pairs": entries}
        with written_whole(folder / LIST) as temporary:
            temporary.write_text(json.dumps(facts, indent=1) + "\n")
    return len(entries), failures


def _write_pair(pair: Pair, sharp: Path, folder: Path, small_folder: str) -> dict[str, str]:
    """Write the small photo and the kernel; return the pair's row in the list."""
    small = folder / small_folder / f"{pair.name}.png"
    write_photo(small, Photo(np.rint(round_to_levels(pair.lr) * 255).astype(np.uint8)))
    row = {"sharp": sharp, "small": small}
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
    return (Path(folder) / LIST).is_file() or holds_pairs(folder)


def read_set(folder: str | Path) -> PairedSet:
    """Return the set in `folder`; raises UserError where its list is missing, broken or of a later version.

    Photos in `blur` and `sharp` need no list: their names pair them, or UserError names the first that has no partner.
    """
    path = Path(folder) / LIST
    if not path.is_file() and holds_pairs(folder):
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
        raise UserError(f"{path} is no list of pairs ({error}); make the set again: python -m jaxsr.degrade") from error


def _sources(rows: list[dict[str, str]], folder: Path) -> Iterator[Source]:
    for row in rows:
        kernel = folder / row["kernel"] if "kernel" in row else None
        yield Source(folder / row["sharp"], folder / row["small"], kernel, row["made"])
