"""The endless stream of training batches: shuffled records, random crops, an exact place to resume from."""

import functools
from collections.abc import Sequence
from typing import Any

import grain
import numpy as np

from jaxsr.support.errors import UserError


def stream(
    source: Sequence[dict[str, Any]],
    *,
    patch_size: int,
    batch_size: int,
    seed: int,
    shard: tuple[int, int] = (0, 1),
    crops: int = 1,
    num_threads: int = 2,
    fields: Sequence[str] = ("hr",),
) -> grain.DatasetIterator:
    """Return an endless iterator of random crops (batch_size / count, patch_size, patch_size, 3) uint8.

    Several `fields` of a record are cropped at one place and give 3 channels each. Every pass visits each sub-image of
    `source["hr"]` once, in a new order, and takes `crops` at random places; sub-images smaller than the patch are
    skipped. Reading is most of the work: where patches are small, several crops of a sub-image save it.
    Order and places follow from `seed` alone, whatever the number of threads. `shard` (index, count) gives that part
    of each batch, and reads no other: put together in order, they are the batches of a single stream, or where
    sub-images are skipped, ones like them.
    `get_state()` gives the place in the stream as a JSON-able dictionary, `set_state` returns to it bit for bit.
    Raises UserError when no sub-image is large enough, and when `crops` do not divide the part of a batch.
    """
    index, count = shard
    share = batch_size // count
    if crops < 1 or share % crops:
        raise UserError(
            f"crops={crops} do not divide the {share} patches that a process reads for a batch; set --config.data.crops"
        )

    def fits(example: dict[str, Any]) -> bool:
        return min(example["hr"].shape[:2]) >= patch_size

    if not any(fits(source[i]) for i in range(len(source))):  # or the search would never end
        raise UserError(
            f"none of the {len(source)} sub-images has {patch_size}x{patch_size} pixels; "
            "take smaller patches or prepare larger sub-images"
        )
    mixed = int(np.random.SeedSequence([seed, 0]).generate_state(1)[0])
    drawn = (
        _Shuffled(grain.MapDataset.source(source).seed(mixed), seed)
        .filter(fits)
        .random_map(lambda example, rng: random_crops([example[field] for field in fields], patch_size, crops, rng))
        .repeat()
    )
    reading = grain.ReadOptions(num_threads=num_threads, prefetch_buffer_size=4 * share // crops)
    own = _PartOfBatches(drawn, index, count, share // crops)
    batches = own.to_iter_dataset(reading).batch(share // crops, drop_remainder=True)
    return iter(batches.map(lambda batch: batch.reshape(share, *batch.shape[2:])))


class _Shuffled(grain.MapDataset):
    """An endless data set whose every pass has a new order, of `seed`.

    grain's own takes a millisecond for an item of a small set, twice as long as reading it.
    """

    def __init__(self, parent: grain.MapDataset, seed: int):
        super().__init__(parent)
        self._orders = functools.lru_cache(maxsize=2)(
            lambda number: np.random.default_rng((seed, 1, number)).permutation(len(parent))
        )

    def __len__(self) -> int:
        return len(self._parent)

    def __getitem__(self, i: Any) -> Any:
        number, place = divmod(i, len(self))
        return self._parent[number * len(self) + int(self._orders(number)[place])]


class _PartOfBatches(grain.MapDataset):
    """The `index`-th run of `share` items in every `count` runs of an endless data set."""

    def __init__(self, parent: grain.MapDataset, index: int, count: int, share: int):
        super().__init__(parent)
        self._index, self._count, self._share = index, count, share

    def __len__(self) -> int:
        return len(self._parent) // self._count

    def __getitem__(self, i: Any) -> Any:
        batch, place = divmod(i, self._share)
        return self._parent[(batch * self._count + self._index) * self._share + place]


def place_for(states: Sequence[dict[str, Any]], *, count: int) -> dict[str, Any]:
    """Return the state, of any of `count` shards, that goes on where the shards with `states` were.

    With another count than that of `states`, and sub-images being skipped, a few crops may be left out; none comes
    twice.
    """
    return {"next_index": -(-len(states) * max(state["next_index"] for state in states) // count)}


def random_crops(images: Sequence[np.ndarray], size: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` of `random_crop`, (count, size, size, C)."""
    return np.stack([random_crop(images, size, rng) for _ in range(count)])


def random_crop(images: Sequence[np.ndarray], size: int, rng: np.random.Generator) -> np.ndarray:
    """Return a square (size, size, C) of all `images` (H, W, ...) at one place; all places are equally likely."""
    top, left = (rng.integers(length - size + 1) for length in images[0].shape[:2])
    return np.concatenate([image[top : top + size, left : left + size] for image in images], axis=-1)
