"""Photos that stay on an accelerator while tiles are cut, restored and put together: each crosses the bus once."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.restoration.tiles.geometry import TilePlacement
from jaxsr.support.types import Device

SIDE_STEP = 256  # sides of photos are rounded up to this in memory, so that photos of many sizes share programs


class PhotosOnDevice:
    """Equal photos (H, W, C) on `device`, and the results (scale H, scale W, C) of `dtype` that tiles are put into."""

    def __init__(self, photos: Sequence[np.ndarray], scale: int, dtype: np.dtype, device: Device) -> None:
        """Upload the photos, and make room for the results."""
        self._scale, (self._height, self._width, channels) = scale, photos[0].shape
        rest = [(0, -side % SIDE_STEP) for side in (self._height, self._width)]  # no tile reads what lies there
        padded = np.stack([np.pad(x, (*rest, (0, 0))) for x in photos])
        self._photos = jax.device_put(padded, device)
        shape = (len(photos), scale * padded.shape[1], scale * padded.shape[2], channels)
        self._results = jax.device_put(jnp.zeros(shape, dtype), device)

    def cut(self, tiles: Sequence[tuple[int, TilePlacement]], size: tuple[int, int]) -> jax.Array:
        """Return the pixels (N, h, w, C) of `tiles`, each the index of a photo and where in it, of `size` (h, w)."""
        starts = np.array([(photo, rows.start, columns.start) for photo, (rows, columns) in tiles], np.int32)
        return _cut(self._photos, starts, size=size)

    def put(self, tiles: Sequence[tuple[int, TilePlacement]], images: jax.Array) -> None:
        """Write what is kept of the `images` of `tiles`, (N, scale h, scale w, C), N at least their number."""
        places = np.zeros((len(images), 7), np.int32)
        for i, (photo, (rows, columns)) in enumerate(tiles):
            spans = [(x.start, x.keep_start - x.start, x.keep_stop - x.start) for x in (rows, columns)]
            places[i] = (photo, *(self._scale * y for span in spans for y in span))
        self._results = _put(self._results, images, places, len(tiles))

    def download(self) -> list[np.ndarray]:
        """Return the results, (scale H, scale W, C) each; they can be written to."""
        height, width = self._scale * self._height, self._scale * self._width
        return [np.array(image[:height, :width]) for image in np.asarray(self._results)]


def results_bytes(photos: Sequence[np.ndarray], scale: int, dtype: np.dtype) -> int:
    """Return the bytes of the results of equal `photos`, without what is added to their sides."""
    return sum(x.size for x in photos) * scale**2 * dtype.itemsize


@functools.partial(jax.jit, static_argnames="size")
def _cut(photos: jax.Array, starts: jax.Array, *, size: tuple[int, int]) -> jax.Array:
    """Return the parts (N, h, w, C) of `photos` (P, H, W, C) that begin at `starts` (N, 3): photo, row, column."""

    def one(start: jax.Array) -> jax.Array:
        return jax.lax.dynamic_slice(photos, (*start, jnp.int32(0)), (1, *size, photos.shape[-1]))[0]

    return jax.lax.map(one, starts)


@functools.partial(jax.jit, donate_argnums=0)
def _put(results: jax.Array, images: jax.Array, places: jax.Array, count: jax.Array) -> jax.Array:
    """Return `results` (P, H, W, C) with the kept parts of the first `count` of `images` (N, h, w, C).

    `places` (N, 7) has for each the photo, the first row, the first and the last kept row but one, counted from that,
    and the same of columns.
    """
    height, width, channels = images.shape[1:]
    rows = jax.lax.broadcasted_iota(jnp.int32, (height, width, 1), 0)
    columns = jax.lax.broadcasted_iota(jnp.int32, (height, width, 1), 1)

    def write(i: jax.Array, results: jax.Array) -> jax.Array:
        photo, top, first_row, last_row, left, first_column, last_column = places[i]
        corner = (photo, top, left, jnp.int32(0))
        before = jax.lax.dynamic_slice(results, corner, (1, height, width, channels))[0]
        kept = (rows >= first_row) & (rows < last_row) & (columns >= first_column) & (columns < last_column)
        return jax.lax.dynamic_update_slice(results, jnp.where(kept, images[i], before)[None], corner)

    return jax.lax.fori_loop(0, count, write, results)
