"""Random camera shake: the blur kernels along a camera's path (camera_paths.py), and the blur.

Source: Kupyn et al., "DeblurGAN", CVPR 2018, algorithm 1; rules marked official are those of DeblurGAN's code.
"""

import functools
import numbers
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxsr.degradations.blurring import blur
from jaxsr.degradations.camera_paths import JITTER, draw_paths
from jaxsr.support.errors import UserError
from jaxsr.support.randomness import PhotoStream, stream
from jaxsr.support.types import Key

EXPOSURES = (0.1, 0.5, 1.0)
KERNELS_PER_BATCH = 16  # the two matrices of a kernel take 1 MB


def weights(steps: int, exposures: Sequence[float], *, official: bool = False) -> jax.Array:
    """Return how much of the time step each of `steps` positions counts in the first share T of it: (T's, steps).

    Position t is held from t to t + 1. In the authors' code it is reached at t: the first does not count.
    """
    held_from = jnp.arange(steps) - int(official)
    ends = steps * jnp.array(exposures, jnp.float32)
    held = jnp.clip(ends.reshape(-1, 1) - held_from.reshape(1, -1), 0, 1)
    return jnp.where(held_from.reshape(1, -1) < 0, 0, held)


def official_place(paths: jax.Array, size: int) -> jax.Array:
    """Return `paths` (N, M) moved by the authors' rule: their bounding boxes about the middle of `size` pixels."""
    real, imaginary = (_boxed(part, size) for part in (paths.real, paths.imag))
    return jax.lax.complex(real, imaginary)


def _boxed(x: jax.Array, size: int) -> jax.Array:
    x = x - x.min(axis=1, keepdims=True)
    x = x - x[:, :1] % 1 + 1
    return x + jnp.ceil((size - x.max(axis=1, keepdims=True)) / 2)


def centred(paths: jax.Array, weights: jax.Array, size: int) -> jax.Array:
    """Return `paths` (N, M) for each exposure of `weights` (J, M), centre of mass at size // 2: (N, J, M).

    That is where `blur` has a kernel's centre. A path that leaves the canvas is drawn smaller about its centre.
    """
    total = weights.sum(axis=1).reshape(1, -1, 1)
    means = jnp.einsum("nm,jm->nj", paths, weights.astype(paths.dtype), precision="highest")[..., None] / total
    offsets = paths[:, None] - means
    used = (weights > 0)[None]
    shrink = jnp.ones(total.shape)
    for part in (offsets.real, offsets.imag):
        for direction, room in ((-part, size // 2), (part, (size - 1) // 2)):
            reach = jnp.where(used, direction, 0).max(axis=2, keepdims=True)
            shrink = jnp.minimum(shrink, room / jnp.maximum(reach, room))
    middle = size // 2
    return offsets * shrink + (middle + 1j * middle)


def splat(paths: jax.Array, weights: jax.Array, size: int, *, first: int = 0) -> jax.Array:
    """Return the sum of `weights` (..., M) at `paths` (..., M) on a canvas, shared among 4 pixels: (..., size, size).

    The share falls linearly with the distance. What falls beside pixels `first` ... size - 1 is lost.
    """
    pixels = jnp.arange(size, dtype=jnp.float32)
    pixels = jnp.where(pixels < first, jnp.inf, pixels).reshape((1,) * paths.ndim + (-1,))
    columns, rows = (jnp.maximum(1 - jnp.abs(part[..., None] - pixels), 0) for part in (paths.real, paths.imag))
    return jnp.einsum("...mi,...mj->...ij", rows * weights[..., None], columns, precision="highest")


def official_kernels(paths: jax.Array, exposures: Sequence[float], size: int) -> jax.Array:
    """Return the authors' PSF (N, J, size, size) of placed `paths` (N, M): its sum is about the exposure.

    They never use row and column 0, which `first` leaves empty.
    """
    shares = weights(paths.shape[1], exposures, official=True)[None]
    places = jnp.broadcast_to(paths[:, None], (len(paths), *shares.shape[1:]))
    return splat(places, jnp.broadcast_to(shares, places.shape), size, first=1) / paths.shape[1]


def draw_motion(
    key: Key,
    count: int,
    *,
    size: int = 64,
    steps: int = 2000,
    length: float | None = None,
    exposures: Sequence[float] = EXPOSURES,
    jitter: Sequence[float] = JITTER,
) -> jax.Array:
    """Return the kernels (count, J, size, size) of `count` random paths, each at J `exposures`, shares of the time.

    They sum to 1 and have their centre of mass at size // 2. `jitter` are levels of camera-shake jitter, one of
    which each path takes. The `length` of a path is by default `size` - 4 pixels: the authors' 60 of 64.
    Raises UserError for what `check_shake` refuses, and for no steps.
    """
    check_shake(size, exposures, jitter)
    length = max(size - 4.0, 1.0) if length is None else length
    shares = weights(steps, exposures)

    def kernels_of(path: jax.Array) -> jax.Array:
        places = centred(path[None], shares, size)[0]
        return splat(places, shares / shares.sum(axis=1, keepdims=True), size)

    paths = draw_paths(key, count, steps=steps, jitter=jitter, length=length)
    return jax.lax.map(kernels_of, paths, batch_size=min(KERNELS_PER_BATCH, count))


def official_motion(paths: jax.Array, exposures: Sequence[float], size: int) -> jax.Array:
    """Return the kernels (N, J, size, size) of `paths` (N, M) as published: boxed, not centred, the largest entry 1.

    They are turned about for correlation, since their authors convolve.
    """

    def kernels_of(path: jax.Array) -> jax.Array:
        return stretched(official_kernels(official_place(path[None], size), exposures, size)[0, :, ::-1, ::-1])

    return jax.lax.map(kernels_of, paths, batch_size=min(KERNELS_PER_BATCH, len(paths)))


@functools.partial(jax.jit, static_argnames=("size", "exposures", "jitter"))
def draw_camera_shake(
    key: Key, size: int, *, exposures: tuple[float, ...] = EXPOSURES, jitter: tuple[float, ...] = JITTER
) -> jax.Array:
    """Return the kernel (size, size) of one random path at one of `exposures`; raises UserError as `draw_motion`."""
    kernels = draw_motion(key, 1, size=size, exposures=exposures, jitter=jitter)[0]
    return kernels[jax.random.randint(stream(key, PhotoStream.EXPOSURE), (), 0, len(exposures))]


def check_shake(kernel_size: int, exposures: Sequence[float], jitter: Sequence[float]) -> None:
    """Raise UserError for a size that is not 3, 4, ..., exposures outside (0, 1], negative jitter, or none."""
    if not isinstance(kernel_size, numbers.Integral):
        raise UserError(f"kernel_size={kernel_size!r} must be a whole number of pixels, at least 3")
    if kernel_size < 3:
        raise UserError(f"kernel_size={kernel_size} leaves a motion kernel no room; use at least 3")
    if not exposures or not all(0 < share <= 1 for share in exposures):
        raise UserError(f"exposures={tuple(exposures)}: shares of the time must lie in (0, 1], such as {EXPOSURES}")
    if not jitter or not all(0 <= anxiety < float("inf") for anxiety in jitter):
        raise UserError(f"jitter={tuple(jitter)} must be 0 (a straight line) or more, such as {JITTER}")


def motion_blur(images: jax.Array, kernels: jax.Array, *, official: bool = False) -> jax.Array:
    """Return `images` (N, H, W, C) in [0, 1], each blurred by its own of `kernels` (N, k, k), borders reflected.

    With `official`, as published: photos are stretched to black and white before and after, and black beyond their
    borders.
    """
    if not official:
        return blur(images, kernels)
    border = kernels.shape[-1] // 2
    dark = jnp.pad(stretched(images), ((0, 0), (border, border), (border, border), (0, 0)))
    return stretched(blur(dark, kernels)[:, border:-border, border:-border])


def stretched(x: jax.Array) -> jax.Array:
    """Return each array of `x` (N, ...) moved and scaled to [0, 1]; flat ones become 0."""
    axes = tuple(range(1, x.ndim))
    low, high = (f(axis=axes, keepdims=True) for f in (x.min, x.max))
    return (x - low) / jnp.where(high > low, high - low, 1)
