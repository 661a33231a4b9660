"""Degradations that return photos alone, each as a function of its own: `bicubic(hr, scale=2)`.

Photos are batches (N, H, W, C), floats in [0, 1], uint8 or uint16, of sides that are multiples of the scale;
UserError names what does not fit.
All are jit-able, with `scale` static.
"""

import jax

from jaxsr.degradations.photo_batches import degrade_batch, keys_of_photos
from jaxsr.support.types import AnyArray, Key


def bicubic(hr: AnyArray, *, scale: int) -> jax.Array:
    """Return MATLAB's antialiased bicubic reduction of `hr`, not rounded: (N, H / scale, W / scale, C).

    Example: `lr = jaxsr.degradations.bicubic(hr, scale=2)`; differentiable.

    Args:
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3, 4 or 8.

    Returns:
        Photos (N, H / scale, W / scale, C), which can leave [0, 1] by a little.

    Raises:
        UserError: for another scale, and for sides that are not multiples of it.
    """
    return degrade_batch(_no_keys(hr), hr, "bicubic", scale=scale).lr


def pillow(hr: AnyArray, *, scale: int) -> jax.Array:
    """Return Pillow's bicubic reduction of `hr`, in 8 bits: (N, H / scale, W / scale, C) in [0, 1].

    Example: `lr = jaxsr.degradations.pillow(hr, scale=4)`. CUFED5 is scored with it. Equal to Pillow bit for bit.

    Args:
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3, 4 or 8.

    Returns:
        Photos (N, H / scale, W / scale, C) on the levels of 8 bits, in [0, 1].

    Raises:
        UserError: for another scale, and for sides that are not multiples of it.
    """
    return degrade_batch(_no_keys(hr), hr, "pillow", scale=scale).lr


def bd(hr: AnyArray, *, scale: int) -> jax.Array:
    """Return the middle pixel of each block of blurred `hr`, in 8 bits: (N, H / scale, W / scale, C) in [0, 1].

    Example: `lr = jaxsr.degradations.bd(hr, scale=3)`. The blur is a 7x7 Gaussian of 1.6 pixels.
    Source: RDN, Zhang et al., CVPR 2018, section 5.1.

    Args:
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3, 4 or 8; the paper's is 3.

    Returns:
        Photos (N, H / scale, W / scale, C) on the levels of 8 bits, in [0, 1].

    Raises:
        UserError: for another scale, and for sides that are not multiples of it.
    """
    return degrade_batch(_no_keys(hr), hr, "bd", scale=scale).lr


def dn(key: Key, hr: AnyArray, *, scale: int) -> jax.Array:
    """Return the bicubic reduction of `hr` with white noise of 30 levels, in 8 bits: (N, H / scale, W / scale, C).

    Example: `lr = jaxsr.degradations.dn(jax.random.key(0), hr, scale=3)`.
    Source: RDN, Zhang et al., CVPR 2018, section 5.1.

    Args:
        key: a PRNG key, split among the photos.
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3, 4 or 8; the paper's is 3.

    Returns:
        Photos (N, H / scale, W / scale, C) on the levels of 8 bits, in [0, 1].

    Raises:
        UserError: for another scale, and for sides that are not multiples of it.
    """
    return degrade_batch(keys_of_photos(key, hr), hr, "dn", scale=scale).lr


def real(key: Key, hr: AnyArray, *, scale: int) -> jax.Array:
    """Return `hr` as photos in the field are: blurred, resized, noisy and compressed, twice over, in 8 bits.

    Example: `lr = jaxsr.degradations.real(jax.random.key(0), hr, scale=4)`. JPEG is computed on the device.
    Source: Real-ESRGAN, Wang et al., ICCVW 2021, section 3; `real_photos/two_stages.py` says what is narrower here.

    Args:
        key: a PRNG key, split among the photos.
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3, 4 or 8.

    Returns:
        Photos (N, H / scale, W / scale, C) on the levels of 8 bits, in [0, 1].

    Raises:
        UserError: for another scale, and for sides that are not multiples of it.
    """
    return degrade_batch(keys_of_photos(key, hr), hr, "real", scale=scale).lr


def _no_keys(hr: AnyArray) -> Key:
    """Return keys that are not drawn from."""
    return keys_of_photos(jax.random.key(0), hr)
