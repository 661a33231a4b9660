"""The endless stream of training batches: shuffled records, random crops, an exact place to resume from."""

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
    num_threads: int = 8,
    fields: Sequence[str] = ("hr",),
) -> grain.DatasetIterator:
    """Return an endless iterator of random crops (batch_size, patch_size, patch_size, 3) uint8.

    Several `fields` of a record are cropped at one place and give 3 channels each. Every pass visits each sub-image of
    `source["hr"]` once, in a new order, and takes one crop at a random place; sub-images smaller than the patch are
    skipped. Order and places follow from `seed` alone, whatever the number of threads. `shard` (index, count) takes
    every count-th sub-image, so that processes share none.
    `get_state()` gives the place in the stream as a JSON-able dictionary, `set_state` returns to it bit for bit.
    Raises UserError when no sub-image of the shard is large enough.
    """
    index, count = shard

    def fits(example: dict[str, Any]) -> bool:
        return min(example["hr"].shape[:2]) >= patch_size

    if not any(fits(source[i]) for i in range(index, len(source), count)):  # or the search would never end
        raise UserError(
            f"none of the {len(source)} sub-images (part {index + 1} of {count}) has {patch_size}x{patch_size} pixels; "
            "take smaller patches or prepare larger sub-images"
        )
    shard_seed = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])  # or all shards crop alike
    crops = (
        grain.MapDataset.source(source)[index::count]
        .seed(shard_seed)
        .shuffle()
        .filter(fits)
        .random_map(lambda example, rng: random_crop([example[field] for field in fields], patch_size, rng))
        .repeat()
    )
    reading = grain.ReadOptions(num_threads=num_threads, prefetch_buffer_size=4 * batch_size)
    return iter(crops.to_iter_dataset(reading).batch(batch_size, drop_remainder=True))


def random_crop(images: Sequence[np.ndarray], size: int, rng: np.random.Generator) -> np.ndarray:
    """Return a square (size, size, C) of all `images` (H, W, ...) at one place; all places are equally likely."""
    top, left = (rng.integers(length - size + 1) for length in images[0].shape[:2])
    return np.concatenate([image[top : top + size, left : left + size] for image in images], axis=-1)
