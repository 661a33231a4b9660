"""Pixel types: integer levels to floats in [0, 1] and back, 8 and 16 bits, grey and RGB."""

import numpy as np

from jaxsr.imaging.arrays import Array, namespace
from jaxsr.imaging.color import luma
from jaxsr.support.errors import UserError


def max_level(dtype: np.dtype | type) -> int:
    """Return the level of white of an integer `dtype`; 1 for floats."""
    return int(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1


def to_float(pixels: Array) -> Array:
    """Return `pixels`, integer levels or floats in [0, 1], as float32 in [0, 1]."""
    xp = namespace(pixels)
    if xp is np:  # divides in double precision, as scores and published files require
        return (pixels / max_level(pixels.dtype)).astype(np.float32)
    return pixels.astype(xp.float32) / max_level(pixels.dtype)


def to_levels(image: Array, dtype: np.dtype | type = np.uint8) -> Array:
    """Return `image` in [0, 1], clipped, as levels of an integer `dtype`, rounded half up; or as floats of `dtype`."""
    xp = namespace(image)
    image = xp.clip(image, 0, 1)
    if np.issubdtype(dtype, np.integer):
        image = xp.floor(image * max_level(dtype) + 0.5)
    return image.astype(dtype)


def to_8_bit(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 or uint16 `pixels` as uint8: levels 0..65535 are scaled to 0..255 and rounded."""
    if pixels.dtype == np.uint8:
        return pixels
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def to_rgb(pixels: Array) -> Array:
    """Return `pixels` (..., 1 or 3) with 3 channels; grey is repeated. NumPy arrays become read-only views."""
    if pixels.shape[-1:] not in ((1,), (3,)):
        raise UserError(f"photos have 1 channel (grey) or 3 (RGB), on the last axis; got shape {pixels.shape}")
    return namespace(pixels).broadcast_to(pixels, (*pixels.shape[:-1], 3))


def to_channels(image: Array, channels: int) -> Array:
    """Return `image` (..., 1 or 3) with 1 or 3 `channels`: RGB becomes its BT.601 luma, grey is repeated."""
    return luma(image) if channels == 1 else to_rgb(image)
