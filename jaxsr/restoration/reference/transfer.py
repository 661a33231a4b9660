"""A photo enlarged with the texture of references: VGG19's features matched, swapped, and given to the network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.imaging.resize import resize
from jaxsr.models import Model
from jaxsr.models.ops.feature_swap import Textures, surrounded, swap, textures
from jaxsr.models.srntt import FACTORS, SCALE, Maps
from jaxsr.restoration.reference.features import match_shared, photo_features
from jaxsr.restoration.reference.preparation import LAYERS, LEAST, Guide, load_for_matching, prepare, to_rgb
from jaxsr.restoration.tiles import tiled_run
from jaxsr.restoration.tiles.program import Found
from jaxsr.restoration.tiles.tiled_run import Result, enlarge, enlarge_and_find, enlarge_each, single
from jaxsr.support.errors import UserError
from jaxsr.weights.vgg_files import VGGWeights

swap_compiled = jax.jit(swap, static_argnames="factor")


def restore_pixels(model: Model, pixels: np.ndarray, **options: Any) -> Result:
    """Return what `restore_each` does for one photo `pixels` (H, W, 1 or 3), or raise what it met."""
    return single(restore_each(model, [pixels], **options))


def restore_each(model: Model, photos: Sequence[np.ndarray], **options: Any) -> list[Result | UserError]:
    """Return what `enlarge_each` does, or `transfer` for a network that needs a reference, with their options."""
    if "reference" in model.needs:
        return [transfer(model, pixels, **options) for pixels in photos]
    if given := [name for name in ("reference", "vgg", "copies", "save_matches") if options.pop(name, None)]:
        raise UserError(f"{model.name} takes no {given[0]}; leave it out, or use srntt")
    return enlarge_each(model, photos, **options)


def warm_up(model: Model, pixels: np.ndarray, **options: Any) -> None:
    """Compile what `restore_pixels` runs on a photo of this size, so that a timing leaves that out."""
    if "reference" in model.needs:
        transfer(model, pixels, **options)
    else:
        tiled_run.warm_up(model, pixels, **options)


def transfer(
    model: Model,
    pixels: np.ndarray,
    *,
    reference: Guide | Sequence[np.ndarray] = (),
    vgg: str | Path | VGGWeights = "",
    copies: bool = False,
    save_matches: bool = False,
    ensemble: bool = False,
    **options: Any,
) -> tuple[np.ndarray, Found]:
    """Return `pixels` (H, W, 1 or 3) enlarged by SRNTT with texture of `reference`: (4 H, 4 W, 1 or 3), and {}.

    `reference` holds photos (h, w, 1 or 3) of any sizes, or is what `prepare` made of some, with `copies`; with none
    the photo is its own reference. `vgg` is a file of VGG19's weights, as `load_vgg` takes it. With `save_matches`
    the second result is `places` (H-2, W-2, 3), `similarity` (H-2, W-2) and `sizes` (R, 2) of the references, in
    pixels of relu3_1. Other `options` are those of `enlarge`. Raises UserError as `prepare` and `enlarge` do.
    """
    if ensemble:
        raise UserError(f"{model.name} matches an upright photo with references; leave the ensemble out")
    least = max(model.spec.minimum, 1 if _has_references(reference) else LEAST)
    if min(pixels.shape[:2]) < least:
        height, width = pixels.shape[:2]
        raise UserError(
            f"a photo of {width}x{height} pixels is too small for {model.name}; use {least}x{least} or more"
        )
    guide = reference if isinstance(reference, Guide) else prepare(reference, load_for_matching(vgg), copies=copies)
    swaps, found = _matched(guide, pixels) if guide.conditions else _own(model, guide.vgg, pixels)
    options.pop("all_rounds", None)
    return enlarge_and_find(model, pixels, needed=swaps.maps, **options)[0], found if save_matches else {}


def _has_references(reference: Guide | Sequence[np.ndarray]) -> bool:
    return bool(reference.conditions if isinstance(reference, Guide) else reference)


class Swap(NamedTuple):
    """How a map of the network is made: the places `around` each pixel, at `resolution` times the small photo's, and
    the textures there, whose blocks have `factor` pixels a side.
    """

    around: np.ndarray
    given: Textures
    resolution: int
    factor: int

    def window(self, top: int, left: int, height: int, width: int) -> np.ndarray:
        """Return the map of a window of the small photo."""
        rows, columns = (
            slice(self.resolution * first, self.resolution * (first + count) + 2)
            for first, count in ((top, height), (left, width))
        )
        return np.asarray(swap_compiled(self.around[rows, columns], self.given, factor=self.factor))


class Swaps(NamedTuple):
    """The three maps of a photo, made for a window at a time, since together they weigh 448 bytes a pixel."""

    small: Swap
    medium: Swap
    large: Swap

    def maps(self, *window: int) -> Maps:
        """Return the maps (h, w, F) of a window: top, left, height and width in the small photo."""
        return Maps(*(part.window(*window) for part in self))


def _matched(guide: Guide, pixels: np.ndarray) -> tuple[Swaps, Found]:
    """Return the maps by what relu3_1 of the bicubic enlargement is most like, and the matches."""
    enlarged = np.clip(np.asarray(resize(jnp.asarray(to_rgb(pixels)), SCALE)), 0, 1)
    content = photo_features(guide.vgg, enlarged, LAYERS[:1])[LAYERS[0]]
    matches = match_shared(content, guide.conditions)
    around = np.asarray(surrounded(matches.places))
    parts = (Swap(around, given, 1, factor) for given, factor in zip(guide.textures, FACTORS.values(), strict=True))
    return Swaps(*parts), _found(matches, guide.sizes)


def _own(model: Model, vgg: VGGWeights, pixels: np.ndarray) -> tuple[Swaps, Found]:
    """Return the maps of a photo that is its own reference: each layer of the network's own enlargement is matched
    with that layer of the small photo.
    """
    alone = model.with_options(alone=True)
    rgb = to_rgb(pixels)
    enlarged = np.clip(enlarge(alone, rgb, quantize=False), 0, 1)
    rest = [(0, -side % SCALE) for side in rgb.shape[:2]]
    content = photo_features(vgg, enlarged, LAYERS)
    small = photo_features(vgg, np.pad(rgb, (*rest, (0, 0)), mode="reflect"), LAYERS)
    found, parts = [], []
    for layer, factor in FACTORS.items():
        matches = match_shared(content[layer], [small[layer]])
        given = textures([jnp.asarray(small[layer])])
        parts.append(Swap(np.asarray(surrounded(matches.places)), given, factor, 1))
        found.append(_found(matches, [small[layer].shape[:2]]))
    return Swaps(*parts), found[0]


def _found(matches: Any, sizes: Sequence[tuple[int, ...]]) -> Found:
    return {**{name: np.asarray(x) for name, x in matches._asdict().items()}, "sizes": np.array(sizes)}
