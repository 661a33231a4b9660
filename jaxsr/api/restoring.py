"""`jaxsr.restore`: one photo by any system; `restorers.py` has what it shares with `python -m jaxsr.restore`."""

import dataclasses
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack, overload

import numpy as np
from PIL import Image

from jaxsr.api.automatic_choice import AUTO, choose_for_photo
from jaxsr.api.restorers import open_restorer
from jaxsr.models import Model
from jaxsr.restoration.array_photos import as_photo, like
from jaxsr.restoration.options import DEFAULT_OPTIONS, PhotoLike, RestoreOptions
from jaxsr.restoration.tiles.placement import Tile
from jaxsr.support.compile_cache import use_compile_cache
from jaxsr.support.errors import UserError, brief, choose
from jaxsr.support.types import Progress
from jaxsr.weights.vgg_files import VGGWeights

if TYPE_CHECKING:
    from jaxsr.restoration.reference.reference_features import ReferenceFeatures


class RestoreKeywords(TypedDict, total=False):
    """The fields of RestoreOptions, for type checkers."""

    tile: Tile
    ensemble: bool
    quantize: bool
    all_rounds: bool
    engine: str
    reference: "PhotoLike | Sequence[PhotoLike] | ReferenceFeatures"
    vgg: str | Path | VGGWeights
    copies: bool
    save_matches: bool
    precision: str


@overload
def restore(
    photo: Image.Image,
    model: str | Path | Model = ...,
    *,
    scale: int | None = ...,
    options: RestoreOptions = ...,
    progress: Progress | None = ...,
    **keywords: Unpack[RestoreKeywords],
) -> Image.Image: ...


@overload
def restore(
    photo: np.ndarray | str | os.PathLike[str],
    model: str | Path | Model = ...,
    *,
    scale: int | None = ...,
    options: RestoreOptions = ...,
    progress: Progress | None = ...,
    **keywords: Unpack[RestoreKeywords],
) -> np.ndarray: ...


def restore(
    photo: PhotoLike,
    model: str | Path | Model = "fsrcnn",
    *,
    scale: int | None = None,
    options: RestoreOptions = DEFAULT_OPTIONS,
    progress: Progress | None = None,
    **keywords: Unpack[RestoreKeywords],
) -> np.ndarray | Image.Image:
    """Return `photo` restored, in the kind and depth it came in.

    Example:
        large = jaxsr.restore("photo.jpg", "fsrcnn", scale=3)
        large = jaxsr.restore(array, "zssr,steps=300,kernel=estimate")
        large = jaxsr.restore(image, "runs/srntt", reference=["near.png", "far.png"])

    Args:
        photo: a NumPy array (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], where C is 1 (grey), 3 (RGB), or one
            more with alpha; a PIL image of mode 1, L, LA, P, PA, RGB, RGBA or I;16; or the path of an image file.
        model: a shipped name, "bicubic", "zssr", a weight file or a run folder, each with the system's own options
            after it, as in "zssr,steps=300" or "runs/danv1,rounds=4"; or a Model. "auto" takes what is installed and
            suits the photo, and says why in the log of "jaxsr".
        scale: how many times larger; by default what the model says, or 2 if it has that.
        options: a RestoreOptions: how the photo is restored.
        progress: `progress(done, total)` is called for each tile; with "zssr" for training steps, KernelGAN's too.
        **keywords: fields of RestoreOptions, in place of those in `options`: tile, ensemble, quantize, engine,
            precision, and for SRNTT reference, vgg and copies.

    Returns:
        An array (scale H, scale W) or (scale H, scale W, C) of the photo's dtype for an array; an array (scale H,
        scale W, C), uint8 or uint16, for a path; a PIL image of mode L, LA, RGB, RGBA or I;16 for a PIL image, with its
        colour profile, EXIF, XMP and resolution in `info`. Paths and PIL images come out upright, without the EXIF
        orientation. Alpha is enlarged by bicubic; transparent pixels get the colour of visible ones nearby. With
        quantize=False arrays are float32, neither clipped nor rounded.

    Raises:
        UserError: for a photo of another kind, shape, dtype or range, or too small for the network; for a model that
            does not exist or lacks the scale; for options that are unknown or do not fit the model; and for a result
            that is not finite.
    """
    options = _options(options, keywords)
    if isinstance(photo, Image.Image) and not options.quantize:
        raise UserError(
            "quantize=False gives floats, which a PIL image does not hold; give an array: np.asarray(image)"
        )
    source = as_photo(photo)
    use_compile_cache()
    if isinstance(model, str) and model == AUTO:
        choice = choose_for_photo(photo, source, scale)
        logging.getLogger("jaxsr").info(choice.reason)
        model, scale = choice.model, choice.scale
    restorer = open_restorer(model, scale=scale, options=options)
    return like(photo, restorer.restore(source, progress=progress))


def _options(options: RestoreOptions, keywords: RestoreKeywords) -> RestoreOptions:
    """Return `options` with the fields of `keywords`; raises UserError for unknown ones, or no RestoreOptions."""
    if not isinstance(options, RestoreOptions):
        raise UserError(
            f"options={brief(options)} is not a RestoreOptions; or give its fields: restore(photo, tile=None)"
        )
    known = {field.name: field for field in dataclasses.fields(RestoreOptions)}
    for name in keywords:
        choose("option", name, known)
    return dataclasses.replace(options, **keywords)
