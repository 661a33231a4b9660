"""The feed of SRNTT: crops of sharp photos with crops of their references, and where they match."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsr.data.images import read_pixels
from jaxsr.data.reference_sets import Group, read_groups
from jaxsr.data.samples import to_training_pixels
from jaxsr.devices import parallel, processes
from jaxsr.imaging.patches import modcrop
from jaxsr.models.srntt import FACTORS, SCALE
from jaxsr.restoration.reference.features import match_shared, photo_features
from jaxsr.restoration.reference.match_cache import cached_matches
from jaxsr.restoration.reference.preparation import check_not_the_truth, reduced_and_enlarged
from jaxsr.support.errors import UserError
from jaxsr.support.files import cache_folder
from jaxsr.training.config import Config
from jaxsr.training.pairs import GuidedCrops
from jaxsr.weights.vgg_files import VGGWeights, load_vgg

MATCHED = next(iter(FACTORS))  # the layer whose features are compared


class ReferenceFeed:
    """Examples held by the host: features, which the authors kept, would take 75 times as much as the photos."""

    sharded = True

    def __init__(self, config: Config, crop: int, devices: list[Any]):
        """Cut and match all crops of `config.data.references`, or read from the cache where they match."""
        self._examples = load_examples(config, crop)
        self._config, self._devices, self._next = config, devices, 0
        self._steps = parallel.steps_per_dispatch(config.steps_per_dispatch)

    def draw(self, batches: GuidedCrops, i: jax.Array, keys: jax.Array) -> GuidedCrops:
        """Return the crops of a step."""
        return jax.tree.map(lambda leaf: leaf[i], batches)

    def data(self, count: int) -> GuidedCrops:
        """Return this process's part of the next `count` batches, padded to a full dispatch for the one program."""
        size = self._config.batch_size
        own = slice(size * processes.index() // processes.count(), size * (processes.index() + 1) // processes.count())
        drawn = [
            np.random.default_rng((self._config.seed, step)).integers(len(self._examples.sharp), size=size)[own]
            for step in range(self._next, self._next + count)
        ]
        self._next += count
        chosen = np.stack(drawn + [drawn[-1]] * (self._steps - count))
        return jax.tree.map(lambda leaf: parallel.shard(leaf[chosen], self._devices), self._examples)

    def position(self) -> int:
        """Return the number of batches drawn so far."""
        return self._next

    def seek(self, position: int) -> None:
        """Go to a place that `position` gave."""
        self._next = position


def load_examples(config: Config, crop: int) -> GuidedCrops:
    """Return all crops of all photos with each of their references of `config.data.reference_level`.

    Where they match is kept in the cache folder. Raises UserError for folders without such photos, for photos smaller
    than a crop, and for a reference that is the sharp photo itself.
    """
    weights = load_vgg([MATCHED], config.perceptual.weights, key=jax.random.key(config.seed))
    folders = [name.strip() for name in config.data.references.split(",") if name.strip()]
    groups = [group for folder in folders for group in read_groups(folder)]
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
    return GuidedCrops(*map(np.stack, zip(*examples, strict=True)))  # type: ignore[arg-type]


def examples_of(group: Group, reference: Path, crop: int, vgg: VGGWeights, *, cache: bool) -> Iterator[GuidedCrops]:
    """Yield the crops of one sharp photo, side by side, each with that of `reference` which is most like it."""
    sharp, other = (to_training_pixels(read_pixels(path)) for path in (group.sharp, reference))
    check_not_the_truth(sharp, [other], [reference])
    if min(*sharp.shape[:2], *other.shape[:2]) < crop:
        return
    folder, files = cache_folder() / "matches", (group.sharp, reference)

    def matched(photo: np.ndarray, given: np.ndarray, place: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        def find() -> tuple[np.ndarray, np.ndarray]:
            found = match_shared(_condition(vgg, photo), [_condition(vgg, given)])
            return np.asarray(found.places), np.asarray(found.similarity)

        return cached_matches(folder, files, place, find) if cache else find()

    whole = matched(modcrop(sharp, SCALE), modcrop(other, SCALE), (0,))[0]
    for top in range(0, sharp.shape[0] - crop + 1, crop):
        for left in range(0, sharp.shape[1] - crop + 1, crop):
            y, x = window_of(whole, (top, left), crop, other.shape)
            photo, given = sharp[top : top + crop, left : left + crop], other[y : y + crop, x : x + crop]
            places, similarity = matched(photo, given, (top, left, y, x, crop))
            yield GuidedCrops(photo, given, places, similarity)  # type: ignore[arg-type]


def window_of(places: np.ndarray, corner: tuple[int, int], crop: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the upper left pixel of the reference's crop around the middle of what a crop at `corner` matches.

    `places` (H-2, W-2, 3) are those of the whole photo, `shape` the reference's.
    """
    top, left = (first // SCALE for first in corner)
    inside = places[top : top + crop // SCALE - 2, left : left + crop // SCALE - 2, 1:].reshape(-1, 2)
    middle = SCALE * np.median(inside, axis=0) + SCALE
    first = np.clip(middle - crop / 2, 0, np.array(shape[:2]) - crop)
    return int(first[0]), int(first[1])


def _condition(vgg: VGGWeights, photo: np.ndarray) -> Any:
    """Return the features of `photo` (H, W, 3) uint8 without what its enlarged small photo lacks."""
    return photo_features(vgg, reduced_and_enlarged((photo / 255).astype(np.float32)), [MATCHED])[MATCHED]
