"""From photos to a data set: a report of what they are, the sub-images that cover them, and the writing."""

import dataclasses
import os
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from absl import logging
from tqdm import tqdm

from jaxsr.data.blurred_pairs import BlurredPhoto, find_pairs, holds_pairs
from jaxsr.data.images import Photo, read_photo
from jaxsr.data.listing import find_photos, name_left_out
from jaxsr.data.resident import rescaled
from jaxsr.data.samples import listed_sizes, to_training_pixels
from jaxsr.imaging.patches import sub_image_starts
from jaxsr.imaging.resize import output_size
from jaxsr.support.errors import UserError
from jaxsr.support.messages import first_few, say
from jaxsr.support.paths import real_path, user_path

MIN_SIDE = 32  # pixels; no patch with its context fits into less
Item = Path | BlurredPhoto


def file_of(item: Item) -> Path:
    """Return the file of a photo, or of the sharp photo of a pair."""
    return item.sharp if isinstance(item, BlurredPhoto) else item


@dataclasses.dataclass(frozen=True)
class PhotoProperties:
    """Properties of a readable photo that the report counts."""

    height: int
    width: int
    grey: bool
    alpha: bool
    deep: bool

    @classmethod
    def of(cls, photo: Photo) -> "PhotoProperties":
        """Return the properties of `photo`."""
        height, width, channels = photo.pixels.shape
        return cls(height, width, channels == 1, photo.alpha is not None, photo.depth == 16)


Survey = dict[Item, PhotoProperties]


@dataclasses.dataclass(frozen=True)
class CropGrid:
    """Square sub-images of `side` pixels every `stride` pixels, of each photo at each factor of `rescale`."""

    side: int
    stride: int
    rescale: Sequence[float] = (1.0,)

    def __post_init__(self):
        """Raise UserError for values out of bounds."""
        if self.side < MIN_SIDE:
            raise UserError(f"size must be at least {MIN_SIDE} pixels to hold a patch and its context; got {self.side}")
        if not 1 <= self.stride <= self.side:
            raise UserError(f"stride must lie in 1..{self.side} (the size) to leave no gaps; got {self.stride}")
        if not self.rescale or not all(0 < factor <= 1 for factor in self.rescale):
            raise UserError(f"rescale takes factors above 0 and up to 1; got {list(self.rescale)}")

    def count(self, photo: PhotoProperties) -> int:
        """Return how many sub-images `photo` gives."""
        sizes = [(output_size(photo.height, f), output_size(photo.width, f)) for f in self.rescale]
        return sum(len(self._starts(height)) * len(self._starts(width)) for height, width in sizes)

    def cut(self, item: Item) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (name, sub-image (H, W, 3) uint8) of a photo; H and W are `side`, or those of a smaller photo.

        A pair gives sub-images (H, W, 6): the sharp photo, then the blurred one, cut at the same places.
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
    """Return the photos that `inputs` name, as `find_photos` does; for folders of pairs, the pairs in them.

    A line names the other files in the folders of photos. Raises UserError if only some of the inputs are folders of
    pairs, and as `find_photos` and `find_pairs` do.
    """
    inputs = [str(user_path(item)) for item in inputs]
    paired = [holds_pairs(item) for item in inputs]
    if not any(paired):
        listing = find_photos(inputs)
        name_left_out(listing.left_out)
        return list(listing.photos)
    if not all(paired):
        raise UserError(
            f"{inputs[paired.index(False)]} has no blur and sharp folders but the others do; prepare them separately"
        )
    return [pair for item in inputs for pair in find_pairs(item)]


def survey(items: Iterable[Item], label: str) -> tuple[Survey, list[str]]:
    """Return the properties of every readable photo, each decoded whole, and one line for every unreadable one.

    A pair has the properties of its sharp photo; it is unreadable if the two sizes differ.
    """
    readable, failures = {}, []
    for item in _with_progress(items, f"checking {label}"):
        try:
            if isinstance(item, BlurredPhoto):
                item.pixels()
            readable[item] = PhotoProperties.of(read_photo(file_of(item)))
        except UserError as error:
            failures.append(str(error))
    return readable, failures


def report(readable: Survey, failures: Sequence[str], grid: CropGrid, label: str) -> str:
    """Return a table of what `survey` found, and of how many sub-images `grid` cuts."""
    photos = readable.values()
    kind = "pairs" if any(isinstance(item, BlurredPhoto) for item in readable) else "photos"
    rows = {
        f"readable {kind}": len(readable),
        "unreadable": len(failures),
        "width": _range_of([photo.width for photo in photos]),
        "height": _range_of([photo.height for photo in photos]),
        "RGB": sum(not photo.grey for photo in photos),
        "grey": sum(photo.grey for photo in photos),
        "with alpha (dropped)": sum(photo.alpha for photo in photos),
        "16 bits (rounded to 8)": sum(photo.deep for photo in photos),
        f"under {grid.side} pixels (kept whole)": sum(min(p.height, p.width) < grid.side for p in photos),
        "sub-images": sum(grid.count(photo) for photo in photos),
    }
    column = max(map(len, rows))
    return "\n".join([label, *(f"  {name:{column}}  {value}" for name, value in rows.items())])


def report_splits(items: Mapping[str, Sequence[Item]], grid: CropGrid) -> tuple[dict[str, Survey], list[str]]:
    """Print the report of every split; return the readable photos of each, and a line for each unreadable one.

    A warning names photos that no patch fits into, which training skips, and photos that several splits have.
    """
    _warn_of_shared_photos(items)
    readable, failures = {}, []
    for split, photos in items.items():
        readable[split], unreadable = survey(photos, split)
        print(report(readable[split], unreadable, grid, split), flush=True)
        _warn_of_tiny_photos(readable[split], split)
        failures += unreadable
    return readable, failures


def _warn_of_shared_photos(items: Mapping[str, Sequence[Item]]) -> None:
    """Name the photos that several splits have: scores on photos that are trained on tell nothing of others."""
    counts = Counter(path for photos in items.values() for path in {real_path(file_of(item)) for item in photos})
    if shared := [str(path) for path, count in counts.items() if count > 1]:
        logging.warning(
            "%d of the photos to validate with are trained on too, so their scores tell nothing of others: %s",
            *(len(shared), first_few(shared)),
        )


def _warn_of_tiny_photos(photos: Survey, label: str) -> None:
    sizes = {
        str(file_of(item)): (photo.height, photo.width)
        for item, photo in photos.items()
        if min(photo.height, photo.width) < MIN_SIDE
    }
    if sizes:
        logging.warning("%s: training skips %s", label, listed_sizes(sizes, MIN_SIDE))


def prepare(
    items: Mapping[str, Sequence[Item]], grid: CropGrid, output: str | os.PathLike, *, overwrite: bool = False
) -> list[str]:
    """Report on the photos of every split and write their sub-images as the data set `output`.

    Returns one line for each unreadable photo. Raises UserError if `output` cannot be written or some splits have
    pairs and others photos, both before anything is read, and if a split has no readable photo.
    """
    from jaxsr.data.builder import check_output, write_data_set  # TFDS is slow to import; a report does without it

    check_output(output, overwrite=overwrite)
    paired = {isinstance(item, BlurredPhoto) for photos in items.values() for item in photos}
    if len(paired) > 1:
        raise UserError(f"some of {', '.join(items)} are pairs of blurred and sharp photos, others single photos")
    readable, failures = report_splits(items, grid)
    for split, photos in readable.items():
        if not photos:
            raise UserError(f"no {split} photo is readable, nothing was written; the first failure: {failures[0]}")
    examples = {split: _sub_images(photos, grid, split) for split, photos in readable.items()}
    write_data_set(output, examples, overwrite=overwrite, blurred=True in paired)
    say(f"written to {output}")
    return failures


def _sub_images(items: Iterable[Item], grid: CropGrid, label: str) -> Iterator[tuple[str, np.ndarray]]:
    for item in _with_progress(items, f"cutting {label}"):
        yield from grid.cut(item)


def _with_progress(items: Iterable[Item], label: str) -> Iterable[Item]:
    return tqdm(list(items), desc=label, unit="photo", disable=None)  # None: no bar in a log file


def _range_of(values: Sequence[int]) -> str:
    if not values:
        return "-"
    return f"min {min(values)}, median {statistics.median(values):g}, max {max(values)}"
