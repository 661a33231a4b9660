"""The endless stream of training batches: shuffled records, random crops, resumable at the exact position."""

import dataclasses
import functools
from collections.abc import Sequence

import grain
import numpy as np
from absl import logging

from jaxsr.support.errors import UserError
from jaxsr.support.types import Json, Record

MOST_SEEN = 500  # sub-images whose sizes are looked at before training: reading all of a large set takes minutes


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """What a stream reads: batches of `batch_size` crops, `patch_size` a side, in an order that `seed` determines.

    `crops` are taken from each sub-image that is read; where patches are small, several save reading. Several `fields`
    of a record are cropped at the same place, and give 3 channels each. `num_threads` read ahead; they do not affect
    the result. Raises UserError if `crops` or the shards of `stream` do not divide the batch.
    """

    patch_size: int
    batch_size: int
    seed: int
    crops: int = 1
    fields: tuple[str, ...] = ("hr",)
    num_threads: int = 2

    def records_per_batch(self, shards: int) -> int:
        """Return how many records each of `shards` processes reads for a batch."""
        share = self.batch_size // shards
        if self.crops < 1 or share % self.crops:
            raise UserError(
                f"crops={self.crops} do not divide the {share} patches that a process reads for a batch; "
                "set --config.data.crops"
            )
        return share // self.crops

    def fits(self, record: Record) -> bool:
        """Return whether the sub-image of `record` is large enough for a crop."""
        return min(record["hr"].shape[:2]) >= self.patch_size

    def crop(self, record: Record, rng: np.random.Generator) -> np.ndarray:
        """Return random crops (crops, patch_size, patch_size, C) of `record`."""
        return random_crops([record[field] for field in self.fields], self.patch_size, self.crops, rng)


def stream(
    source: Sequence[Record], options: StreamOptions, *, shard: tuple[int, int] = (0, 1)
) -> grain.DatasetIterator:
    """Return an endless iterator of random crops (batch_size / count, patch_size, patch_size, C) uint8.

    Every pass visits each sub-image of `source` once, in a new order; those smaller than a patch are skipped, and a
    warning counts them in a sample of up to MOST_SEEN. `shard` (index, count) selects that part of each batch and reads
    nothing else: joined in order, the shards' parts are the batches of a single stream (or, where sub-images are
    skipped, batches like them). `get_state()` returns the position as a JSON-able dictionary; `set_state` resumes
    there, bit for bit. Raises UserError if no sub-image is large enough, and if the crops do not divide a shard's part
    of a batch.
    """
    index, count = shard
    records = options.records_per_batch(count)
    _check_sizes(source, options, silent=index > 0)
    grain_seed = int(np.random.SeedSequence([options.seed, 0]).generate_state(1)[0])
    crops = (
        _Shuffled(grain.MapDataset.source(source).seed(grain_seed), options.seed)
        .filter(options.fits)
        .random_map(options.crop)
        .repeat()
    )
    reading = grain.ReadOptions(num_threads=options.num_threads, prefetch_buffer_size=4 * records)
    part = _PartOfBatches(crops, index, count, records)
    batches = part.to_iter_dataset(reading).batch(records, drop_remainder=True)
    return iter(batches.map(lambda batch: batch.reshape(-1, *batch.shape[2:])))


def _check_sizes(source: Sequence[Record], options: StreamOptions, *, silent: bool) -> None:
    """Raise UserError if no sub-image is large enough: the filter would search for ever. Warn if some are not."""
    if not any(options.fits(source[i]) for i in range(len(source))):
        raise UserError(
            f"none of the {len(source)} sub-images has {options.patch_size}x{options.patch_size} pixels; "
            "take smaller patches or prepare larger sub-images"
        )
    seen = range(0, len(source), -(-len(source) // MOST_SEEN))
    small = 0 if silent else sum(not options.fits(source[i]) for i in seen)
    if small:
        logging.warning(
            f"of {len(seen)} sub-images that were looked at, {small} have fewer than {options.patch_size} pixels a "
            f"side, which a crop with its context needs, and are skipped: use larger photos or a smaller "
            f"--config.data.patch"
        )


class _Shuffled(grain.MapDataset):
    """An endless data set with a new order in every pass, determined by `seed`.

    grain's own shuffle takes a millisecond per item of a small set, twice as long as reading it.
    """

    def __init__(self, parent: grain.MapDataset, seed: int):
        super().__init__(parent)
        self._orders = functools.lru_cache(maxsize=2)(
            lambda number: np.random.default_rng((seed, 1, number)).permutation(len(parent))
        )

    def __len__(self) -> int:
        return len(self._parent)

    def __getitem__(self, i):
        number, position = divmod(i, len(self))
        return self._parent[number * len(self) + int(self._orders(number)[position])]


class _PartOfBatches(grain.MapDataset):
    """The `index`-th run of `share` items in every `count` runs of an endless data set."""

    def __init__(self, parent: grain.MapDataset, index: int, count: int, share: int):
        super().__init__(parent)
        self._index, self._count, self._share = index, count, share

    def __len__(self) -> int:
        return len(self._parent) // self._count

    def __getitem__(self, i):
        batch, position = divmod(i, self._share)
        return self._parent[(batch * self._count + self._index) * self._share + position]


def resumed_state(states: Sequence[Json], *, count: int) -> Json:
    """Return the state with which any of `count` shards resumes where shards with `states` stopped.

    If their numbers differ and sub-images are skipped, a few crops may be left out; none comes twice.
    """
    return {"next_index": -(-len(states) * max(state["next_index"] for state in states) // count)}


def random_crops(images: Sequence[np.ndarray], size: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` results of `random_crop`, (count, size, size, C)."""
    return np.stack([random_crop(images, size, rng) for _ in range(count)])


def random_crop(images: Sequence[np.ndarray], size: int, rng: np.random.Generator) -> np.ndarray:
    """Return one crop (size, size, C) of all `images` (H, W, ...) at the same place; all places are equally likely."""
    top, left = (rng.integers(length - size + 1) for length in images[0].shape[:2])
    return np.concatenate([image[top : top + size, left : left + size] for image in images], axis=-1)
