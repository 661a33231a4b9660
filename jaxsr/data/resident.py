"""Photos kept on the device as one array, and random crops of them drawn there."""

import dataclasses
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.data.samples import warn_too_small
from jaxsr.imaging.pixels import to_float, to_levels
from jaxsr.imaging.resize import resize
from jaxsr.support.errors import UserError
from jaxsr.support.types import AnyArray, Key

MAX_BYTES = 2**31 - 1  # positions are int32; larger sets are streamed from disk anyway


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ResidentPhotos:
    """Photos of any sizes, packed end to end.

    `pixels` (total,) uint8 with interleaved `channels`. For each of P photos, (P,) int32: `start` (index of its first
    byte), `width`, `columns` (crop positions in a row) and `last` (number of crop positions in this photo and those
    before it).
    """

    pixels: AnyArray
    start: AnyArray
    width: AnyArray
    columns: AnyArray
    last: AnyArray
    channels: int = dataclasses.field(default=3, metadata={"static": True})


def pack(photos: Mapping[str, np.ndarray], crop: int) -> ResidentPhotos:
    """Return `photos` (H, W, C) uint8 packed for crops of (crop, crop) pixels.

    Smaller photos are left out, and named in a warning, unless they are reduced copies of others: those are counted.
    Raises UserError if none is large enough, or if they exceed 2 GiB.
    """
    usable = [photo for photo in photos.values() if min(photo.shape[:2]) >= crop]
    if not usable:
        largest = max(min(photo.shape[:2]) for photo in photos.values())
        raise UserError(
            f"no training photo has {crop} pixels a side, which a crop with its context needs; the largest has "
            f"{largest}; use larger photos or a smaller --config.data.patch"
        )
    _warn_left_out(photos, crop)
    bytes_each = [photo.size for photo in usable]
    if sum(bytes_each) > MAX_BYTES:
        raise UserError(
            f"{sum(bytes_each)} bytes of photos exceed {MAX_BYTES}; stream them: python -m jaxsr.prepare_data"
        )
    heights, widths = (np.array([photo.shape[axis] for photo in usable]) for axis in (0, 1))
    positions = (heights - crop + 1) * (widths - crop + 1)
    return ResidentPhotos(
        pixels=np.concatenate([photo.reshape(-1) for photo in usable]),
        start=np.cumsum([0, *bytes_each[:-1]]).astype(np.int32),
        width=widths.astype(np.int32),
        columns=(widths - crop + 1).astype(np.int32),
        last=np.cumsum(positions).astype(np.int32),
        channels=usable[0].shape[-1],
    )


def _warn_left_out(photos: Mapping[str, np.ndarray], crop: int) -> None:
    """Warn of photos that are too small for a crop, and of reduced copies of others that are."""
    largest: dict[str, tuple[int, int]] = {}
    small = 0
    for name, photo in photos.items():
        source, size = name.rpartition("@")[0] or name, photo.shape[:2]
        largest[source] = max(largest.get(source, size), size)
        small += min(size) < crop
    left_out = {name: size for name, size in largest.items() if min(size) < crop}
    copies = small - sum((name.rpartition("@")[0] or name) in left_out for name in photos)
    warn_too_small(left_out, crop, also=f"reduced copies of larger photos, {copies} in all" if copies else "")


def rescaled(photos: Mapping[str, np.ndarray], factors: Sequence[float]) -> dict[str, np.ndarray]:
    """Return each photo (H, W, C) uint8 at each of `factors`, reduced by MATLAB's bicubic (FSRCNN, LapSRN)."""

    def shrink(photo: np.ndarray, factor: float) -> np.ndarray:
        return photo if factor == 1 else to_levels(resize(to_float(photo), factor, uint8_stages=True))

    return {f"{name}@{factor}": shrink(photo, factor) for factor in factors for name, photo in photos.items()}


def draw_crops(keys: Key, photos: ResidentPhotos, crop: int) -> jax.Array:
    """Return (N, crop, crop, C) uint8, a crop for each of `keys` (N,); all positions are equally likely."""
    return jax.vmap(lambda key: _draw_crop(key, photos, crop))(keys)


def _draw_crop(key: Key, photos: ResidentPhotos, crop: int) -> jax.Array:
    """Return one crop (crop, crop, C). Rows are contiguous in the packed array and are cut as slices."""
    position = jax.random.randint(key, (), 0, photos.last[-1])
    photo = jnp.searchsorted(photos.last, position, side="right")
    position = position - jnp.where(photo > 0, photos.last[photo - 1], 0)
    top, left = position // photos.columns[photo], position % photos.columns[photo]
    rows = photos.start[photo] + photos.channels * ((top + jnp.arange(crop)) * photos.width[photo] + left)
    cut = jax.vmap(lambda row: jax.lax.dynamic_slice(photos.pixels, (row,), (photos.channels * crop,)))(rows)
    return cut.reshape(crop, crop, photos.channels)
