"""From photos to a data set: what they hold, the sub-images that cover them, and the writing."""

import dataclasses
import os
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxsr.data.blurred_pairs import BlurredPhoto, find_pairs, holds_pairs
from jaxsr.data.images import Photo, read_photo
from jaxsr.data.listing import list_photos
from jaxsr.data.resident import rescaled
from jaxsr.data.samples import to_training_pixels
from jaxsr.imaging.patches import sub_image_starts
from jaxsr.imaging.resize import output_size
from jaxsr.support.errors import UserError

Item = Path | BlurredPhoto


@dataclasses.dataclass(frozen=True)
class PhotoFacts:
    """What the report tells of a readable photo."""

    height: int
    width: int
    grey: bool
    alpha: bool
    deep: bool

    @classmethod
    def of(cls, photo: Photo) -> "PhotoFacts":
        """Return the facts of `photo`."""
        height, width, channels = photo.pixels.shape
        return cls(height, width, channels == 1, photo.alpha is not None, photo.depth == 16)


@dataclasses.dataclass(frozen=True)
class Cutting:
    """Squares of `side` pixels every `stride`, of each photo at each factor of `rescale`."""

    side: int
    stride: int
    rescale: Sequence[float] = (1.0,)

    def __post_init__(self):
        """Raise UserError for values out of their bounds."""
        if self.side < 32:
            raise UserError(f"size must be at least 32 pixels, or no patch with its context fits; got {self.side}")
        if not 1 <= self.stride <= self.side:
            raise UserError(f"stride must lie in 1..{self.side} (the size) to leave no gaps; got {self.stride}")
        if not self.rescale or not all(0 < factor <= 1 for factor in self.rescale):
            raise UserError(f"rescale takes factors above 0 and up to 1; got {list(self.rescale)}")

    def count(self, facts: PhotoFacts) -> int:
        """Return how many sub-images a photo gives."""
        sizes = [(output_size(facts.height, f), output_size(facts.width, f)) for f in self.rescale]
        return sum(len(self._starts(height)) * len(self._starts(width)) for height, width in sizes)

    def cut(self, item: Item) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (name, sub-image (H, W, 3) uint8) of a photo; H and W are `side`, or the photo's if less.

        A blurred photo and its sharp one are cut alike: (H, W, 6), the sharp one first.
        """
        if isinstance(item, BlurredPhoto):
            photos = {item.name: item.pixels()}
        else:
            photos = {item.stem: to_training_pixels(read_photo(item).pixels)}
        for name, image in rescaled(photos, self.rescale).items():
            for top in self._starts(image.shape[0]):
                for left in self._starts(image.shape[1]):
                    yield f"{name}_{top}_{left}", image[top : top + self.side, left : left + self.side]

    def _starts(self, length: int) -> list[int]:
        return sub_image_starts(length, self.side, self.stride)


def list_items(inputs: Sequence[str]) -> list[Item]:
    """Return the photos that `inputs` name, as `list_photos` does, or where they are folders of pairs, these.

    Raises UserError where they are of both sorts, and as `list_photos` and `find_pairs` do.
    """
    paired = [holds_pairs(item) for item in inputs]
    if not any(paired):
        return list(list_photos(inputs))
    if not all(paired):
        raise UserError(f"{inputs[paired.index(False)]} has no blur and sharp, the others do; prepare them one by one")
    return [pair for item in inputs for pair in find_pairs(item)]


def survey(items: Iterable[Item], label: str) -> tuple[dict[Item, PhotoFacts], list[str]]:
    """Return the facts of every readable photo, decoded whole, and one line for every unreadable one.

    Of a pair they are the sharp photo's; one whose sizes differ is not readable.
    """
    facts, failures = {}, []
    for item in _with_progress(items, f"checking {label}"):
        try:
            if isinstance(item, BlurredPhoto):
                item.pixels()
            facts[item] = PhotoFacts.of(read_photo(item.sharp if isinstance(item, BlurredPhoto) else item))
        except UserError as error:
            failures.append(str(error))
    return facts, failures


def report(facts: Mapping[Item, PhotoFacts], failures: Sequence[str], cutting: Cutting, label: str) -> str:
    """Return the table of what `survey` found and of what `cutting` makes of it."""
    photos = facts.values()
    what = "pairs" if any(isinstance(item, BlurredPhoto) for item in facts) else "photos"
    rows = {
        f"readable {what}": len(facts),
        "unreadable": len(failures),
        "width": _spread([photo.width for photo in photos]),
        "height": _spread([photo.height for photo in photos]),
        "RGB": sum(not photo.grey for photo in photos),
        "grey": sum(photo.grey for photo in photos),
        "with alpha (dropped)": sum(photo.alpha for photo in photos),
        "16 bits (rounded to 8)": sum(photo.deep for photo in photos),
        f"under {cutting.side} pixels (kept whole)": sum(min(p.height, p.width) < cutting.side for p in photos),
        "sub-images": sum(cutting.count(photo) for photo in photos),
    }
    column = max(map(len, rows))
    return "\n".join([label, *(f"  {name:{column}}  {value}" for name, value in rows.items())])


def report_splits(
    paths: Mapping[str, Sequence[Item]], cutting: Cutting
) -> tuple[dict[str, dict[Item, PhotoFacts]], list[str]]:
    """Print the report of every split; return the readable photos of each, and a line for each unreadable one."""
    readable, failures = {}, []
    for split, photos in paths.items():
        readable[split], unreadable = survey(photos, split)
        print(report(readable[split], unreadable, cutting, split), flush=True)
        failures += unreadable
    return readable, failures


def prepare(
    paths: Mapping[str, Sequence[Item]], cutting: Cutting, output: str | os.PathLike, *, overwrite: bool = False
) -> list[str]:
    """Report on the photos of every split and write their sub-images as the data set `output`.

    Returns one line for each unreadable photo. Raises UserError, before anything is read, when `output` cannot
    be written or some splits have pairs and others photos, and when a split has no readable photo.
    """
    from jaxsr.data.builder import check_output, write_data_set  # TFDS; a report alone does without it

    check_output(output, overwrite=overwrite)
    blurred = {isinstance(item, BlurredPhoto) for items in paths.values() for item in items}
    if len(blurred) > 1:
        raise UserError(f"some of {', '.join(paths)} are pairs of blur and sharp, others photos; give one sort")
    readable, failures = report_splits(paths, cutting)
    for split, photos in readable.items():
        if not photos:
            raise UserError(f"no {split} photo is readable, nothing was written; the first failure: {failures[0]}")
    examples = {split: _sub_images(photos, cutting, split) for split, photos in readable.items()}
    write_data_set(output, examples, overwrite=overwrite, blurred=True in blurred)
    print(f"written to {output}")
    return failures


def _sub_images(items: Iterable[Item], cutting: Cutting, label: str) -> Iterator[tuple[str, np.ndarray]]:
    for item in _with_progress(items, f"cutting {label}"):
        yield from cutting.cut(item)


def _with_progress(items: Iterable[Item], label: str) -> Iterable[Item]:
    return tqdm(list(items), desc=label, unit="photo", disable=None)  # None: no bar in a log file


def _spread(values: Sequence[int]) -> str:
    if not values:
        return "-"
    return f"min {min(values)}, median {statistics.median(values):g}, max {max(values)}"
