"""NumPy arrays, PIL images and files as photos, and photos as arrays and PIL images again."""

import os

import jax
import numpy as np
from PIL import Image

from jaxsr.data.codecs.pillow_photos import FILE_MODES, image_of_photo, photo_of_image
from jaxsr.data.images import Photo, read_photo
from jaxsr.data.videos.video_files import is_video
from jaxsr.imaging.arrays import check_range, floats_of
from jaxsr.restoration.options import PhotoLike
from jaxsr.support.errors import UserError


def as_photo(photo: PhotoLike) -> Photo:
    """Return the photo in an array, a PIL image or a file; raises UserError for another kind, shape, dtype or range."""
    if is_video(photo):
        raise UserError(f"{photo} is a video; restore it by `python -m jaxsr.restore {photo} --output=DIR`")
    if isinstance(photo, str | os.PathLike):
        return read_photo(photo)
    if isinstance(photo, Image.Image):
        return photo_of_image(photo)
    if isinstance(photo, jax.Array):
        raise UserError("cannot restore a JAX array; give np.asarray(photo), or call a model on a batch: model(photos)")
    if not isinstance(photo, np.ndarray):
        raise UserError(f"cannot restore a {type(photo).__name__}; give a NumPy array, a PIL image or a path")
    check_array(photo)
    return split_alpha(np.asarray(photo))  # a matrix would stay one, with its two axes


def like(original: PhotoLike, photo: Photo) -> np.ndarray | Image.Image:
    """Return `photo` in the kind that `original` is: a PIL image with its metadata, or an array of its rank.

    A path gives an array (H, W, C).
    """
    if isinstance(original, Image.Image):
        return image_of_photo(photo)
    return photo.bands[..., 0] if isinstance(original, np.ndarray) and original.ndim == 2 else photo.bands


def reference_pixels(reference: PhotoLike) -> np.ndarray:
    """Return the pixels (H, W, 1 or 3) of a reference, without alpha; raises UserError as `as_photo` does."""
    if isinstance(reference, Image.Image):
        return photo_of_image(reference, modes=FILE_MODES).pixels
    if not isinstance(reference, np.ndarray | str | os.PathLike):
        raise UserError(f"cannot take a {type(reference).__name__} as reference; give an array, a PIL image or a path")
    return as_photo(reference).pixels


def split_alpha(array: np.ndarray) -> Photo:
    """Return the photo of an array (H, W) or (H, W, 1 to 4): an even number of bands ends with alpha."""
    bands = array[..., None] if array.ndim == 2 else array
    channels = bands.shape[-1] - 1 + bands.shape[-1] % 2
    return Photo(bands[..., :channels], bands[..., channels:] if channels < bands.shape[-1] else None)


def check_array(photo: np.ndarray) -> None:
    """Raise UserError unless `photo` is (H, W) or (H, W, 1 to 4) uint8, uint16 or float in [0, 1], all of it there."""
    if isinstance(photo, np.ma.MaskedArray):
        raise UserError("a masked array lacks pixels; fill them, as with photo.filled(0), or give them alpha 0")
    if photo.ndim not in (2, 3) or (photo.ndim == 3 and photo.shape[-1] not in (1, 2, 3, 4)) or photo.size == 0:
        raise UserError(f"a photo has shape (H, W) or (H, W, 1 to 4); got {photo.shape}")
    if photo.dtype.newbyteorder("=") in (np.uint8, np.uint16):
        return
    if not np.issubdtype(photo.dtype, np.floating) or photo.dtype.itemsize > np.dtype(np.float64).itemsize:
        raise UserError(f"a photo is uint8, uint16 or float in [0, 1]; got {photo.dtype}; {floats_of(photo.dtype)}")
    check_range(photo)
