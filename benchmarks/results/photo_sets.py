"""The test sets, recognised by the names of their folders, and which systems are scored on which."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from jaxsr.evaluation.pair_options import BICUBIC_PAIRS, PairOptions
from jaxsr.evaluation.paired_sets import read_set
from jaxsr.evaluation.sources import Source, pair_files
from jaxsr.support.errors import UserError
from jaxsr.support.files import file_digest

DEPTH = 2  # how far below the folders of --data the sets may lie
BICUBIC_SETS = ("Set5", "Set14", "BSD100", "Urban100")
SETS_OF = {  # systems that are made for other photos than bicubic's
    "danv1": ("Gaussian8", "DIV2KRK"),
    "danv2": ("Gaussian8", "DIV2KRK"),
    "kernelgan+zssr": ("DIV2KRK",),
    "zssr": ("DIV2KRK",),
    "deblurgan": ("GoPro",),
    "srntt": ("views",),
    "real": ("Real14",),
    "fsrcnn": (*BICUBIC_SETS, "Real14"),  # beside `real`, as one that knows nothing of noise and compression
}
MADE_OF = {  # sets that are degraded from another one's photos: how, at which scales, and by how many kernels
    "Gaussian8": ("Set5", PairOptions("gaussian8"), (2, 3, 4), 8),
    "Real14": ("Set14", PairOptions("real"), (2, 4), 1),
}


@dataclasses.dataclass(frozen=True)
class PhotoSet:
    """A test set: where its photos are, for which scales, and how their LR photos are made if there are none."""

    name: str
    folder: Path
    scales: tuple[int, ...]
    find: Callable[[Path, int], Sequence[Source]]
    options: PairOptions = BICUBIC_PAIRS
    kernels: int = 1  # by which each photo is blurred, one after the other

    def count(self, scale: int) -> int:
        """Return the number of pairs."""
        return len(self.sources(scale)) * self.kernels

    def sources(self, scale: int) -> Sequence[Source]:
        """Return the files of each pair; raises UserError where they do not pair."""
        return _sources(self, scale)

    def digest(self, scale: int) -> str:
        """Return a digest of all files that scores at `scale` depend on, and of how pairs are made from them."""
        return _digest(self, scale)


@functools.cache
def _sources(photo_set: PhotoSet, scale: int) -> Sequence[Source]:
    return photo_set.find(photo_set.folder, scale)


@functools.cache
def _digest(photo_set: PhotoSet, scale: int) -> str:
    digest = hashlib.sha256(repr((photo_set.name, photo_set.options)).encode())
    for source in photo_set.sources(scale):
        files = (source.hr, source.lr, source.kernel, *source.references)
        digest.update("".join(file_digest(file) for file in files if file is not None).encode())
    return digest.hexdigest()


def _hr_photos(folder: Path, scale: int) -> Sequence[Source]:
    inside = (folder / name for name in ("hr", "HR", "GT", "original"))
    return pair_files(next((path for path in inside if path.is_dir()), folder), None, scale)


def _div2krk(folder: Path, scale: int) -> Sequence[Source]:
    """Return the pairs of DIV2KRK: gt/im_1.png, lr_x2/im_1.png, and, where it is there, gt_k_x2/kernel_1.mat."""
    sources = pair_files(folder / "gt", folder / f"lr_x{scale}", scale)
    kernels = [folder / f"gt_k_x{scale}" / f"{source.hr.stem.replace('im', 'kernel')}.mat" for source in sources]
    return [
        dataclasses.replace(source, kernel=kernel if kernel.is_file() else None)
        for source, kernel in zip(sources, kernels, strict=True)
    ]


def _gopro(folder: Path, scale: int) -> Sequence[Source]:
    return read_set(folder).sources


def _views(folder: Path, scale: int) -> Sequence[Source]:
    """Return the photos NAME/hr.png, each with its most similar reference NAME/ref1.png."""
    groups = sorted(path for path in folder.iterdir() if (path / "hr.png").is_file())
    return [Source(path / "hr.png", references=(path / "ref1.png",), name=path.name) for path in groups]


_FINDERS = {
    **dict.fromkeys(BICUBIC_SETS, ((2, 3, 4, 8), _hr_photos)),
    "views": ((4,), _views),
    "GoPro": ((1,), _gopro),
    "DIV2KRK": ((2, 4), _div2krk),
}
ORDER = ("Set5", "Set14", "views", "Gaussian8", "GoPro", "Real14", "BSD100", "DIV2KRK", "Urban100")  # quick ones first


def find_sets(folders: Iterable[Path]) -> dict[str, PhotoSet]:
    """Return the sets in `folders` and below by name, and those that are MADE_OF them.

    Raises UserError where a folder is missing, and where there is no set at all.
    """
    names, found = {name.lower(): name for name in _FINDERS}, {}
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"--data: {folder} is no folder; name those that hold Set5, Set14 and the others")
        for path in _below(folder, DEPTH):
            if name := names.get(path.name.lower()):
                scales, find = _FINDERS[name]
                found.setdefault(name, PhotoSet(name, path, scales, find))
    for name, (base, options, scales, kernels) in MADE_OF.items():
        if base in found:
            found[name] = PhotoSet(name, found[base].folder, scales, _hr_photos, options, kernels)
    if not found:
        raise UserError(f"--data holds no test set; folders are known by the names {', '.join(_FINDERS)}")
    return {name: found[name] for name in ORDER if name in found}


def _below(folder: Path, depth: int) -> Iterator[Path]:
    yield folder
    if depth:
        for path in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
            yield from _below(path, depth - 1)


def is_scored_on(system: str, set_name: str) -> bool:
    """Return whether `system` is made for the photos of the set; bicubic is the baseline of all."""
    return system == "bicubic" or set_name in SETS_OF.get(system, BICUBIC_SETS)
