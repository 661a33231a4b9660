"""The files of pairs to score on: HR photos with LR photos, blur kernels or references, or with nothing beside."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from jaxsr.data.images import photo_size, read_pixels
from jaxsr.data.kernel_files import read_kernel
from jaxsr.data.listing import list_photos
from jaxsr.data.output_names import output_stems
from jaxsr.data.reference_sets import read_groups
from jaxsr.evaluation.naming import pair_by_base_name, references_of
from jaxsr.evaluation.pair_options import BICUBIC_PAIRS, PairOptions
from jaxsr.evaluation.pairs import GIVEN, Pair, given_pair, make_pairs, pair_names
from jaxsr.restoration.reference.preparation import check_not_ground_truth, read_references
from jaxsr.support.errors import UserError


@dataclasses.dataclass(frozen=True)
class Source:
    """The files of a pair: an HR photo, and an LR photo and its blur kernel unless they are made when needed."""

    hr: Path
    lr: Path | None = None
    kernel: Path | None = None
    resizer: str = GIVEN  # how the LR photo was made
    references: tuple[Path, ...] = ()  # photos with texture for SRNTT
    name: str = ""  # where the HR photo's own is not unique

    @property
    def file(self) -> Path:
        """The file that gives its name: the LR photo in a set, where several can share the HR photo."""
        return self.hr if self.lr is None or self.resizer == GIVEN else self.lr

    @property
    def stem(self) -> str:
        """What the names of its pairs begin with."""
        return self.name or self.file.stem

    def lr_size(self, scale: int) -> tuple[int, int] | None:
        """Return the height and width of the LR photos of its pairs; None for a broken file."""
        size = photo_size(self.lr or self.hr)
        return size if size is None or self.lr else (size[0] // scale, size[1] // scale)

    def names(self, scale: int, options: PairOptions = BICUBIC_PAIRS) -> list[str]:
        """Return the names of the pairs that `pairs` returns, without reading a file."""
        return [self.stem] if self.lr else pair_names(self.stem, scale, options)

    def pairs(self, scale: int, options: PairOptions = BICUBIC_PAIRS) -> list[Pair]:
        """Return the pair, or, where there is no LR photo, the pairs that `make_pairs` makes with `options`.

        Raises UserError for unreadable files and those that do not fit.
        """
        if self.lr is None:
            return make_pairs(self.stem, read_pixels(self.hr), scale, options)
        pair = given_pair(self.stem, read_pixels(self.hr), read_pixels(self.lr), scale)
        kernel = None if self.kernel is None else read_kernel(self.kernel)
        return [dataclasses.replace(pair, resizer=self.resizer, kernel=kernel)]


def pair_files(data: str | Path, lr: str | Path | None, scale: int, *, degradation: str = "bicubic") -> list[Source]:
    """Return the photos of the folder `data`, each with its LR photo from the folder `lr` if there is one.

    Names pair them as `pair_by_base_name` says: 0001 with 0001x2.

    Raises UserError, before any work, where the two folders do not fit in number or in size, and at scale 1 without the
    second, unless `degradation` is "motion": then nothing says how the photos are blurred.
    """
    if lr is None and scale == 1 and degradation != "motion":
        raise UserError(
            f"{data} holds sharp photos alone; give the blurred ones: put them in {Path(data) / 'blur'} beside "
            f"{Path(data) / 'sharp'}, pass --lr=FOLDER, or blur them here: --degradation=motion"
        )
    if lr is None:
        return [_named(Source(path), stem) for path, stem in _unique_stems(list_photos([data])).items()]
    files = pair_by_base_name(list_photos([data]), list_photos([lr]), scale)
    for hr_file, lr_file in files:
        try:
            pixels = read_pixels(hr_file), read_pixels(lr_file)
        except UserError:
            continue  # reported when its turn comes, and the others are scored
        given_pair(hr_file.stem, *pixels, scale)
    stems = _unique_stems([hr_file for hr_file, _ in files])
    return [_named(Source(hr_file, lr_file), stems[hr_file]) for hr_file, lr_file in files]


def _unique_stems(photos: Sequence[Path]) -> dict[Path, str]:
    """Return the stem of each of `photos` in one folder, as results are named: x_png and x_bmp for x.png and x.bmp."""
    return {path: stem.as_posix() for path, stem in output_stems({path: Path(path.name) for path in photos}).items()}


def _named(source: Source, stem: str) -> Source:
    """Return `source`, with `stem` as its name where that is not its file's own."""
    return source if stem == source.stem else dataclasses.replace(source, name=stem)


def reference_sources(folder: str | Path, level: str) -> list[Source]:
    """Return the HR photos of a CUFED5-style `folder`, each with its references of `level`, "1" or "all".

    Raises UserError, before any work, where there are none, where one is the HR photo itself, and where those of every
    photo are broken or tiny.
    """
    sources = [Source(group.hr, references=tuple(group.at(level)), name=group.name) for group in read_groups(folder)]
    _check_references(sources)
    return sources


def with_references(sources: Sequence[Source], references: Sequence[str | Path]) -> list[Source]:
    """Return `sources` with their `references`, files, folders and patterns, as `references_of` says.

    Raises UserError as that and `reference_sources` do.
    """
    files = references_of([source.file for source in sources], references)
    sources = [dataclasses.replace(source, references=own) for source, own in zip(sources, files, strict=True)]
    _check_references(sources)
    return sources


def _check_references(sources: Sequence[Source]) -> None:
    """Raise UserError where a reference is the HR photo itself, and where all of `sources` have a broken one."""
    failures = []
    for source in sources:
        try:
            photos = read_references(source.references)
        except UserError as error:
            failures.append(error)  # reported when its turn comes, and the others are scored
            continue
        try:
            hr = read_pixels(source.hr)
        except UserError:
            continue  # likewise
        check_not_ground_truth(hr, photos, source.references)
    if failures and len(failures) == len(sources):
        raise failures[0]
