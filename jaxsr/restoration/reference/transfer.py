"""A photo enlarged with the texture of references: VGG19's features matched, swapped, and given to the network."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.imaging.resize import resize
from jaxsr.models import Model
from jaxsr.models.ops.feature_matching import Matches
from jaxsr.models.ops.feature_swap import Textures, surrounded, swap, textures
from jaxsr.models.srntt import FACTORS, SCALE, Maps
from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.restoration.reference.features import match_shared, photo_features
from jaxsr.restoration.reference.preparation import LAYERS, MIN_REFERENCE, float_rgb, reference_features
from jaxsr.restoration.reference.reference_features import ReferenceFeatures
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tiled_photos import restore_tiled
from jaxsr.restoration.tiles.tiled_run import PhotoExtras, Result
from jaxsr.support.errors import UserError
from jaxsr.support.types import Progress
from jaxsr.weights.vgg_files import VGGWeights

swap_compiled = jax.jit(swap, static_argnames="factor")


def transfer(
    model: Model,
    pixels: np.ndarray,
    options: RestoreOptions = DEFAULT_OPTIONS,
    *,
    cache: TileCache | None = None,
    progress: Progress | None = None,
) -> Result:
    """Return `pixels` (H, W, 1 or 3) enlarged by SRNTT with texture of references: (4 H, 4 W, 1 or 3), and extras.

    Without references the photo is its own. With `save_matches` the extras are `places` (H-2, W-2, 3), `similarity`
    (H-2, W-2) and `sizes` (R, 2) of the references, in pixels of relu3_1. Raises UserError as `prepare` and
    `apply_tiled` do, and for a photo that is too small.
    """
    _check_size(model, pixels, options)
    reference = reference_features(options)
    if reference.conditions:
        swaps, matches = _swaps_of(reference, pixels)
    else:
        swaps, matches = _swaps_of_own(model, reference.vgg, pixels, options)
    plain = dataclasses.replace(options, all_rounds=False)
    image, _ = restore_tiled(model, pixels, plain, extra_inputs=swaps.maps, cache=cache, progress=progress)
    return image, matches if options.save_matches else {}


def _check_size(model: Model, pixels: np.ndarray, options: RestoreOptions) -> None:
    """Raise UserError for a photo that is too small for the network, or to be its own reference."""
    references = options.references
    others = references.conditions if isinstance(references, ReferenceFeatures) else references
    least = max(model.minimum, 1 if others else MIN_REFERENCE)
    height, width = pixels.shape[:2]
    if min(height, width) < least:
        raise UserError(
            f"a photo of {width}x{height} pixels is too small for {model.name}; use {least}x{least} or more"
        )


class Swap(NamedTuple):
    """How one map of the network is made, a tile at a time.

    Attributes:
        around: the matched positions around each pixel, as `surrounded` gives them, `resolution` for each of the photo.
        source: the references' features there, in blocks of `factor` pixels a side.
    """

    around: np.ndarray
    source: Textures
    resolution: int
    factor: int

    def tile(self, top: int, left: int, height: int, width: int) -> np.ndarray:
        """Return the map (factor resolution h, factor resolution w, F) of a tile of the LR photo."""
        rows, columns = (
            slice(self.resolution * first, self.resolution * (first + count) + 2)
            for first, count in ((top, height), (left, width))
        )
        return np.asarray(swap_compiled(self.around[rows, columns], self.source, factor=self.factor))


class Swaps(NamedTuple):
    """The three maps of a photo, made for a tile at a time, since together they take 448 bytes a pixel."""

    small: Swap
    medium: Swap
    large: Swap

    def maps(self, top: int, left: int, height: int, width: int) -> Maps:
        """Return the maps (h, w, F) of a tile of the LR photo."""
        return Maps(*(part.tile(top, left, height, width) for part in self))


def _swaps_of(reference: ReferenceFeatures, pixels: np.ndarray) -> tuple[Swaps, PhotoExtras]:
    """Return the maps by the matches of relu3_1 of the bicubic enlargement, and these matches."""
    enlarged = np.clip(np.asarray(resize(jnp.asarray(float_rgb(pixels)), SCALE)), 0, 1)
    content = photo_features(reference.vgg, enlarged, LAYERS[:1])[LAYERS[0]]
    matches = match_shared(content, reference.conditions)
    around = np.asarray(surrounded(matches.places))
    parts = (Swap(around, x, 1, factor) for x, factor in zip(reference.textures, FACTORS.values(), strict=True))
    return Swaps(*parts), _match_extras(matches, reference.sizes)


def _swaps_of_own(
    model: Model, vgg: VGGWeights, pixels: np.ndarray, options: RestoreOptions
) -> tuple[Swaps, PhotoExtras]:
    """Return the maps of a photo that is its own reference, and the matches.

    Each layer of the network's own enlargement is matched with that layer of the LR photo.
    """
    rgb = float_rgb(pixels)
    unquantized = RestoreOptions(quantize=False, engine=options.engine, precision=options.precision)
    enlarged = np.clip(restore_tiled(model.with_options(alone=True), rgb, unquantized)[0], 0, 1)
    rest = [(0, -side % SCALE) for side in rgb.shape[:2]]
    content = photo_features(vgg, enlarged, LAYERS)
    own = photo_features(vgg, np.pad(rgb, (*rest, (0, 0)), mode="reflect"), LAYERS)
    extras, parts = [], []
    for layer, factor in FACTORS.items():
        matches = match_shared(content[layer], [own[layer]])
        source = textures([jnp.asarray(own[layer])])
        parts.append(Swap(np.asarray(surrounded(matches.places)), source, factor, 1))
        extras.append(_match_extras(matches, [own[layer].shape[:2]]))
    return Swaps(*parts), extras[0]


def _match_extras(matches: Matches, sizes: Sequence[tuple[int, ...]]) -> PhotoExtras:
    return {**{name: np.asarray(x) for name, x in matches._asdict().items()}, "sizes": np.array(sizes)}
