"""The feed of SRNTT: crops of HR photos with crops of their references, and where they match."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxsr.data.images import read_pixels
from jaxsr.data.reference_sets import Group, read_groups
from jaxsr.data.samples import to_training_pixels, warn_too_small
from jaxsr.devices import parallel, processes
from jaxsr.imaging.patches import modcrop
from jaxsr.imaging.pixels import to_float
from jaxsr.models.srntt import FACTORS, SCALE
from jaxsr.restoration.reference.features import match_shared, photo_features
from jaxsr.restoration.reference.match_cache import cached_matches
from jaxsr.restoration.reference.preparation import check_not_ground_truth, reduced_and_enlarged
from jaxsr.support.errors import UserError
from jaxsr.support.files import cache_folder
from jaxsr.support.randomness import Purpose, seed_key
from jaxsr.support.types import Device, Tree
from jaxsr.training.config import Config
from jaxsr.training.feeds.open_photos import names_in
from jaxsr.training.run.events import longest_dispatch
from jaxsr.weights.vgg_files import VGGWeights, load_vgg

MATCHED = next(iter(FACTORS))  # the layer whose features are compared


class ReferenceCrops(NamedTuple):
    """What SRNTT learns from: `hr` and `reference` crops (N, S, S, 3) uint8, and where they match.

    `positions` (N, S/4-2, S/4-2, 3) and cosine `similarity` (N, S/4-2, S/4-2) are as `feature_matching` returns them.
    """

    hr: jax.Array
    reference: jax.Array
    positions: jax.Array
    similarity: jax.Array


class ReferenceFeed:
    """Examples in the host's memory. The authors kept features instead, which take 75 times as much as photos."""

    sharded = True

    def __init__(self, config: Config, crop: int, devices: list[Device]):
        """Cut all crops of `config.data.references` and match them, or read their matches from the cache."""
        self._examples = load_examples(config, crop)
        self._config, self._devices, self._next = config, devices, 0
        self._steps = longest_dispatch(config)

    def draw(self, batches: ReferenceCrops, i: jax.Array, keys: jax.Array) -> ReferenceCrops:
        """Return the crops of a step."""
        return jax.tree.map(lambda leaf: leaf[i], batches)

    def data(self, count: int) -> ReferenceCrops:
        """Return this process's part of the next `count` batches, padded to a full dispatch for the one program."""
        size = self._config.batch_size
        own = slice(size * processes.index() // processes.count(), size * (processes.index() + 1) // processes.count())
        indices = [
            np.random.default_rng((self._config.seed, step)).integers(len(self._examples.hr), size=size)[own]
            for step in range(self._next, self._next + count)
        ]
        self._next += count
        chosen = np.stack(indices + [indices[-1]] * (self._steps - count))
        return jax.tree.map(lambda leaf: parallel.shard(leaf[chosen], self._devices), self._examples)

    def position(self) -> int:
        """Return the number of batches drawn so far."""
        return self._next

    def seek(self, position: int) -> None:
        """Go to a position that `position` returned."""
        self._next = position


def load_examples(config: Config, crop: int) -> ReferenceCrops:
    """Return all crops of all photos with each of their references of `config.data.reference_level`.

    Matches are kept in the cache folder. Raises UserError for folders without such photos, for photos smaller than a
    crop, and for a reference that is the HR photo itself.
    """
    weights = load_vgg([MATCHED], config.perceptual.weights, key=seed_key(config.seed, Purpose.RANDOM_VGG))
    groups = [group for folder in names_in(config, "references") for group in read_groups(folder)]
    examples = [
        example
        for group in groups
        for reference in group.at(config.data.reference_level)
        for example in examples_of(group, reference, crop, weights, cache=str(config.perceptual.weights) != "random")
    ]
    if not examples:
        raise UserError(
            f"no photo of {config.data.references} and its reference have {crop} pixels a side; use larger photos or a "
            f"smaller --config.data.patch"
        )
    return ReferenceCrops(*map(np.stack, zip(*examples, strict=True)))  # type: ignore[arg-type]


def examples_of(group: Group, reference: Path, crop: int, vgg: VGGWeights, *, cache: bool) -> Iterator[ReferenceCrops]:
    """Yield the crops of one HR photo, side by side, each with the crop of `reference` that is most similar to it."""
    hr, other = (to_training_pixels(read_pixels(path)) for path in (group.hr, reference))
    check_not_ground_truth(hr, [other], [reference])
    small = {
        str(path): photo.shape[:2]
        for path, photo in ((group.hr, hr), (reference, other))
        if min(photo.shape[:2]) < crop
    }
    if small:
        warn_too_small(small, crop)
        return
    folder, files = cache_folder() / "matches", (group.hr, reference)

    def matched(photo: np.ndarray, other: np.ndarray, crop: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        def find() -> tuple[np.ndarray, np.ndarray]:
            matches = match_shared(_degraded_features(vgg, photo), [_degraded_features(vgg, other)])
            return np.asarray(matches.places), np.asarray(matches.similarity)

        return cached_matches(folder, files, crop, find) if cache else find()

    whole = matched(modcrop(hr, SCALE), modcrop(other, SCALE), (0,))[0]
    for top in range(0, hr.shape[0] - crop + 1, crop):
        for left in range(0, hr.shape[1] - crop + 1, crop):
            y, x = reference_corner(whole, (top, left), crop, other.shape)
            photo, texture = hr[top : top + crop, left : left + crop], other[y : y + crop, x : x + crop]
            matches = matched(photo, texture, (top, left, y, x, crop))
            yield ReferenceCrops(photo, texture, *matches)  # type: ignore[arg-type]  # on the host, NumPy's


def reference_corner(
    positions: np.ndarray, corner: tuple[int, int], crop: int, shape: tuple[int, ...]
) -> tuple[int, int]:
    """Return the upper left pixel of the reference's crop, which is centred on what the crop at `corner` matches.

    `positions` (H-2, W-2, 3) are those of the whole photo, `shape` the reference's.
    """
    top, left = (first // SCALE for first in corner)
    inside = positions[top : top + crop // SCALE - 2, left : left + crop // SCALE - 2, 1:].reshape(-1, 2)
    middle = SCALE * np.median(inside, axis=0) + SCALE
    first = np.clip(middle - crop / 2, 0, np.array(shape[:2]) - crop)
    return int(first[0]), int(first[1])


def _degraded_features(vgg: VGGWeights, photo: np.ndarray) -> Tree:
    """Return the features of `photo` (H, W, 3) uint8 reduced and enlarged, so that it shows no more than LR photos."""
    return photo_features(vgg, reduced_and_enlarged(to_float(photo)), [MATCHED])[MATCHED]
