"""Photos made smaller by Lanczos' filter, with 8 or 16 bits, in little memory: libvips does it in strips."""

import numpy as np

from jaxsr.data.codecs.vips_library import reason_of, vips
from jaxsr.data.images import Photo
from jaxsr.support.errors import UserError


def reduced(photo: Photo, size: tuple[int, int]) -> Photo:
    """Return `photo` with `size` (H, W), neither larger than it is, by the antialiased Lanczos filter of 3 lobes.

    Pixels and alpha are filtered apart: fill transparent pixels first. Raises UserError where libvips fails.
    """
    if photo.pixels.shape[:2] == size:
        return photo
    alpha = None if photo.alpha is None else _reduced_bands(photo.alpha, size)
    return Photo(_reduced_bands(photo.pixels, size), alpha, photo.icc_profile, photo.metadata)


def _reduced_bands(bands: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return `bands` (H, W, C) uint8 or uint16 with `size`."""
    height, width, count = bands.shape
    kind = "ushort" if bands.dtype == np.uint16 else "uchar"
    pyvips = vips()
    try:
        image = pyvips.Image.new_from_memory(np.ascontiguousarray(bands).data, width, height, count, kind)
        smaller = image.resize(size[1] / width, vscale=size[0] / height, kernel="lanczos3")
        return smaller.numpy().reshape(*size, count)
    except pyvips.Error as error:
        raise UserError(f"cannot be reduced to {size[1]} x {size[0]} pixels ({reason_of(error)})") from None
