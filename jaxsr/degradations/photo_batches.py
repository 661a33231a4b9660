"""Batches of photos, degraded by a row of the table."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.degradations.table import degradation_of
from jaxsr.imaging.arrays import check_batch
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.pixels import to_float
from jaxsr.support.errors import UserError
from jaxsr.support.randomness import Stream, check_key, check_keys, streams
from jaxsr.support.types import AnyArray, Key


class Degraded(NamedTuple):
    """Degraded photos `lr` (N, H / scale, W / scale, C) in [0, 1], and the `kernels` (N, k, k) that blurred them.

    The kernels sum to 1, in correlation orientation, centred at k // 2; None where the degradation draws none.
    """

    lr: jax.Array
    kernels: jax.Array | None


def degrade_batch(
    keys: Key,
    hr: AnyArray,
    name: str,
    *,
    scale: int,
    kernel_size: int | None = None,
    quantize: bool | None = None,
) -> Degraded:
    """Return the photos that the row `name` of DEGRADATIONS makes of `hr`, and their kernels; jit-able.

    Example: `lr, kernels = degrade_batch(jax.random.split(key, len(hr)), hr, "isotropic", scale=2)`.

    Args:
        keys: PRNG keys (N,), one for each photo, whatever the others are.
        hr: (N, H, W, C), floats in [0, 1], uint8 or uint16; H and W are multiples of `scale`.
        name: a row of DEGRADATIONS.
        scale: how many times smaller; 1 for "motion".
        kernel_size: side of the kernels; by default the row's. Rows that draw no kernels leave it unused.
        quantize: whether to clip and round to 8 bits; by default as the row's files are. "pillow", "bd", "dn" and
            "real" always are.

    Returns:
        Degraded: `lr` (N, H / scale, W / scale, C) in [0, 1], and `kernels` (N, k, k), None where none are drawn.

    Raises:
        UserError: for an unknown name, a scale or kernel size that the row lacks, sides that are not multiples, and
            another number of keys.
    """
    row, size = degradation_of(name, scale, kernel_size)
    hr = photos_of(hr, scale)
    check_keys(keys, len(hr))
    kernels = None
    if row.draw is not None:
        draw = row.draw
        kernels = jax.vmap(lambda key: draw(key, scale, size))(streams(keys, Stream.BLUR_KERNEL)).astype(hr.dtype)
    lr = row.reduce(keys, hr, kernels, scale).astype(hr.dtype)  # draws are double with jax_enable_x64
    return Degraded(round_to_levels(lr) if (row.eight_bit if quantize is None else quantize) else lr, kernels)


def keys_of_photos(key: Key, hr: AnyArray) -> Key:
    """Return a key for each photo; raises UserError where `key` is none, such as a seed, or `hr` is no batch."""
    check_key(key)
    check_batch(hr)
    return jax.random.split(key, len(hr))


def photos_of(hr: AnyArray, scale: int) -> jax.Array:
    """Return `hr` as float32 in [0, 1].

    Raises UserError unless it is (N, H, W, C), uint8, uint16 or floats, with sides that are multiples of `scale`. White
    is unknown in other integers: levels of 8 bits in them would become black.
    """
    check_batch(hr)
    hr = jnp.asarray(hr)
    if hr.dtype not in (jnp.uint8, jnp.uint16) and not jnp.issubdtype(hr.dtype, jnp.floating):
        raise UserError(f"photos are uint8, uint16 or floats in [0, 1]; got {hr.dtype}; convert them")
    if hr.shape[1] % scale or hr.shape[2] % scale:
        raise UserError(
            f"photos of {hr.shape[2]}x{hr.shape[1]} have sides that are not multiples of the scale {scale}; crop them: "
            f"hr[:, : height // {scale} * {scale}, : width // {scale} * {scale}]"
        )
    return to_float(hr)
