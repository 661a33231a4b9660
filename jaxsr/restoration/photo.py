"""From photo to photo: array, PIL image or path, with alpha and colour profile."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jaxsr.data.images import Photo, read_photo
from jaxsr.models import Model, bicubic
from jaxsr.restoration.reference.preparation import read_references
from jaxsr.restoration.reference.transfer import restore_pixels
from jaxsr.restoration.tiles.placement import Folder
from jaxsr.restoration.tiles.program import Found
from jaxsr.restoration.tiles.tiled_run import enlarge
from jaxsr.support.errors import UserError
from jaxsr.weights import load

PIL_MODES = ("L", "LA", "RGB", "RGBA", "I;16")


def restore(photo: Any, model: str | Path | Model = "fsrcnn", *, scale: int | None = None, **options: Any) -> Any:
    """Return `photo` restored by `model`, in the kind and depth it came in.

    A NumPy array (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], gives such an array; C is 1 (grey), 3 (RGB),
    or one more with alpha. A PIL image of mode L, LA, RGB, RGBA or I;16 gives a PIL image with its colour profile.
    A path gives an array (H, W, C), uint8 or uint16 as stored. `model` is a shipped name, a weight file, or what
    `load` returns; a name without scale takes `scale`, or 2 if it has that. `options` (tile, ensemble) go to
    `enlarge`, for srntt (reference, a photo of these kinds or a list of them, vgg, copies) to `transfer`. Raises
    UserError for another kind, shape, dtype or range, and for what `load`, `enlarge` and `transfer` refuse.
    """
    model = model if isinstance(model, Model) else load(model, scale=scale)
    if scale not in (None, model.scale):
        raise UserError(f"scale={scale} was asked for, but {model.name} enlarges {model.scale} times")
    if "reference" in options:
        given = options["reference"]
        options["reference"] = [_reference(x) for x in (given if isinstance(given, list | tuple) else [given])]
    if isinstance(photo, str | os.PathLike):
        return restore_photo(model, read_photo(photo), **options)[0].bands
    if isinstance(photo, Image.Image):
        return _restore_pil(photo, model, options)
    if not isinstance(photo, np.ndarray):
        raise UserError(f"cannot restore a {type(photo).__name__}; give a NumPy array, a PIL image or a path")
    check_array(photo)
    bands = photo[..., None] if photo.ndim == 2 else photo
    restored = restore_photo(model, _split(bands), **options)[0].bands
    return restored[..., 0] if photo.ndim == 2 else restored


def restore_photo(model: Model, photo: Photo, **options: Any) -> tuple[Photo, Found]:
    """Return `photo` restored by `model`, its alpha enlarged by bicubic, and what was found out about it.

    `options` and what is found are those of `restore_pixels`.
    """
    pixels, found = restore_pixels(model, photo.pixels, **options)
    return with_alpha(photo, pixels, model.scale, options.get("folder")), found


def with_alpha(photo: Photo, pixels: np.ndarray, scale: int, folder: Folder | None = None) -> Photo:
    """Return `photo` with its `pixels` as they were restored, `scale` times larger, and its alpha by bicubic."""
    alpha = photo.alpha
    if alpha is not None:
        opacity = Model(bicubic.SPEC, bicubic.Bicubic(channels=1), scale, {})
        alpha = enlarge(opacity, alpha, folder=folder)
    return dataclasses.replace(photo, pixels=pixels, alpha=alpha)


def _reference(photo: Any) -> np.ndarray:
    """Return the pixels (H, W, 1 or 3) of a path, PIL image or array."""
    if isinstance(photo, str | os.PathLike):
        return read_references([Path(photo)])[0]
    if not isinstance(photo, np.ndarray | Image.Image):
        raise UserError(f"cannot take a {type(photo).__name__} as reference; give an array, a PIL image or a path")
    pixels = np.asarray(photo.convert("RGB") if isinstance(photo, Image.Image) else photo)
    check_array(pixels)
    return _split(pixels[..., None] if pixels.ndim == 2 else pixels).pixels


def _restore_pil(image: Image.Image, model: Model, options: dict[str, Any]) -> Image.Image:
    if image.mode not in PIL_MODES:
        raise UserError(f"cannot restore a PIL image of mode {image.mode}; convert it: image.convert('RGB')")
    restored = Image.fromarray(restore(np.asarray(image), model, **options))
    if "icc_profile" in image.info:
        restored.info["icc_profile"] = image.info["icc_profile"]
    return restored


def _split(bands: np.ndarray) -> Photo:
    """Return the photo of an array (H, W, 1 to 4): an even number of bands ends with alpha."""
    colours = bands.shape[-1] - 1 + bands.shape[-1] % 2
    return Photo(bands[..., :colours], bands[..., colours:] if colours < bands.shape[-1] else None)


def check_array(photo: np.ndarray) -> None:
    """Raise UserError unless `photo` has a shape, dtype and range that `restore` takes."""
    if photo.ndim not in (2, 3) or (photo.ndim == 3 and photo.shape[-1] not in (1, 2, 3, 4)) or photo.size == 0:
        raise UserError(f"a photo has shape (H, W) or (H, W, 1 to 4); got {photo.shape}")
    if photo.dtype in (np.uint8, np.uint16):
        return
    if not np.issubdtype(photo.dtype, np.floating):
        raise UserError(f"a photo is uint8, uint16 or float in [0, 1]; got {photo.dtype}")
    if not (photo.min() >= 0 and photo.max() <= 1):  # also refuses NaN
        raise UserError(f"float photos lie in [0, 1]; got [{photo.min():g}, {photo.max():g}]; divide by their maximum")
