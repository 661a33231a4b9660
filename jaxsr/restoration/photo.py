"""From photo to photo: the pixels by any network, with or without references, alpha by bicubic."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from jaxsr.data.images import Photo
from jaxsr.imaging.transparency import fill_transparent
from jaxsr.models import Model, bicubic
from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.restoration.reference.preparation import reference_features
from jaxsr.restoration.reference.transfer import transfer
from jaxsr.restoration.tiles.placement import TileCache
from jaxsr.restoration.tiles.tiled_photos import apply_tiled, restore_tiled, single, warm_up_tiles
from jaxsr.restoration.tiles.tiled_run import PhotoExtras, Result
from jaxsr.support.errors import UserError
from jaxsr.support.types import Progress


def restore_photo(
    model: Model,
    photo: Photo,
    options: RestoreOptions = DEFAULT_OPTIONS,
    *,
    cache: TileCache | None = None,
    progress: Progress | None = None,
) -> tuple[Photo, PhotoExtras]:
    """Return `photo` restored by `model`, its alpha enlarged by bicubic, and the extras of `restore_pixels`.

    Transparent pixels take the colour of visible ones nearby.
    """
    photo = without_hidden_colours(photo)
    pixels, extras = restore_pixels(model, photo.pixels, options, cache=cache, progress=progress)
    return with_alpha(photo, pixels, model.scale, cache), extras


def restore_pixels(
    model: Model,
    pixels: np.ndarray,
    options: RestoreOptions = DEFAULT_OPTIONS,
    *,
    cache: TileCache | None = None,
    progress: Progress | None = None,
) -> Result:
    """Return what `restore_each` does for one photo `pixels` (H, W, 1 or 3), or raise its error."""
    return single(restore_each(model, [pixels], options, cache=cache, progress=progress))


def restore_each(
    model: Model,
    photos: Sequence[np.ndarray],
    options: RestoreOptions = DEFAULT_OPTIONS,
    *,
    cache: TileCache | None = None,
    progress: Progress | None = None,
) -> list[Result | UserError]:
    """Return what `apply_tiled` does with equal `photos`, or `transfer` for a network that needs a reference.

    Raises UserError for options that are not for the model.
    """
    options.check(model)
    if "reference" in model.needs:
        return [transfer(model, pixels, options, cache=cache, progress=progress) for pixels in photos]
    return apply_tiled(model, photos, options, cache=cache, progress=progress)


def warm_up(model: Model, pixels: np.ndarray, options: RestoreOptions, cache: TileCache) -> None:
    """Compile what `restore_pixels` runs on a photo of this size, so that a timing leaves that out."""
    options.check(model)
    if "reference" in model.needs:
        transfer(model, pixels, options, cache=cache)
    else:
        warm_up_tiles(model, pixels, options, cache)


def with_features(model: Model, options: RestoreOptions) -> RestoreOptions:
    """Return `options` with the features of their references, so that these are extracted once for many photos."""
    if "reference" not in model.needs:
        return options
    return dataclasses.replace(options, reference=reference_features(options))


def without_hidden_colours(photo: Photo) -> Photo:
    """Return `photo` as it is restored: transparent pixels have the colour of visible ones nearby, against fringes."""
    return dataclasses.replace(photo, pixels=fill_transparent(photo.pixels, photo.alpha))


def with_alpha(photo: Photo, pixels: np.ndarray, scale: int, cache: TileCache | None = None) -> Photo:
    """Return `photo` with its restored `pixels`, `scale` times larger, and its alpha enlarged by bicubic.

    Alpha has the dtype of `pixels`: where these are not quantized, neither is alpha.
    """
    alpha = photo.alpha
    if alpha is not None:
        enlargement = Model(bicubic.SPEC, bicubic.Bicubic(channels=1), scale, {})
        options = RestoreOptions(quantize=pixels.dtype == alpha.dtype)
        alpha = restore_tiled(enlargement, alpha, options, cache=cache)[0]
    return dataclasses.replace(photo, pixels=pixels, alpha=alpha)
