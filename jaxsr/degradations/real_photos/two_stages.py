"""Degradation "real": what cameras, editors and websites do to a photo before somebody wants it larger.

Two stages of blur, resizing, noise and JPEG, each drawn anew; the second ends at the LR photo's size. All on the
device, for one photo at a time under vmap, with the shapes of the worst case.
Source: Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data", ICCVW 2021,
section 3. Narrower here, for networks of moderate size: ranges as below, motion blur in place of generalized Gaussians,
no sinc filter, and JPEG always last.
"""

import dataclasses
import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.degradations.blurring import blur
from jaxsr.degradations.camera_shake import splat
from jaxsr.degradations.kernels import Range, anisotropic_kernels, delta_kernel
from jaxsr.degradations.real_photos.jpeg import jpeg
from jaxsr.degradations.real_photos.random_resize import FILTERS, Canvas, resize_canvas
from jaxsr.support.errors import UserError
from jaxsr.support.randomness import StageStream, Stream, stream, streams
from jaxsr.support.types import Key

REAL_CONTEXT = 6  # LR pixels at a patch's edge that a border's mirror blurs into, both stages together
MOTION_STEPS = 64
ISOTROPIC_SHARE = 0.5  # of the Gaussian kernels
SHOT_SHARE, GREY_SHARE = 0.5, 0.4  # of the noise


@dataclasses.dataclass(frozen=True)
class DegradationStage:
    """What one stage draws from; all ranges are even.

    Attributes:
        kernel_size: side of the blur kernels, odd.
        widths: deviations of a Gaussian kernel, in pixels of the photo; at stage one they grow with half the scale.
        sharp: share of photos that are not blurred.
        moved: share that is blurred by motion along a line or an arc.
        factors: size after resizing over that of the photo, at stage two of the LR photo.
        noise: the largest deviation of the noise, in levels of 255; of shot noise, at white.
        qualities: of JPEG.
    """

    kernel_size: int
    widths: Range
    sharp: float
    moved: float
    factors: Range
    noise: float
    qualities: Range


SECOND = DegradationStage(9, (0.2, 1.0), 0.5, 0.0, (0.6, 1.2), 8.0, (50, 95))


def first_stage(scale: int) -> DegradationStage:
    """Return stage one: a camera takes the photo and may move; no fewer pixels are left than the LR photo has."""
    return DegradationStage(21, (0.2, 0.75 * scale), 0.1, 0.2, (1 / scale, 1.2), 12.0, (50, 95))


class Numbers(NamedTuple):
    """Numbers (), uniform in [0, 1), from which one stage takes what it does to one photo."""

    blur: jax.Array
    width: jax.Array
    other_width: jax.Array
    isotropic: jax.Array
    angle: jax.Array
    bend: jax.Array
    factor: jax.Array
    filter: jax.Array
    final_filter: jax.Array
    strength: jax.Array
    shot: jax.Array
    grey: jax.Array
    quality: jax.Array


def reduce_real(keys: Key, hr: jax.Array, kernels: jax.Array | None, scale: int) -> jax.Array:
    """Return `hr` (N, H, W, C) in [0, 1] as real photos at 1 / scale of the size, in 8 bits, each by its key.

    `kernels` are not taken: there are several, at several sizes. Raises UserError unless C is 1 or 3, as in JPEG.
    """
    if hr.shape[-1] not in (1, 3):
        raise UserError(f"JPEG has grey photos and RGB; got {hr.shape[-1]} channels; use 1 or 3")
    return _reduce_all(streams(keys, Stream.REAL_PHOTO), hr, scale)


@functools.partial(jax.jit, static_argnames="scale")
def _reduce_all(keys: Key, hr: jax.Array, scale: int) -> jax.Array:
    return jax.vmap(functools.partial(degrade_photo, scale=scale))(keys, hr)


def degrade_photo(key: Key, hr: jax.Array, *, scale: int) -> jax.Array:
    """Return one photo `hr` (H, W, C) through both stages: (H / scale, W / scale, C) on the levels of 8 bits."""
    height, width, _ = hr.shape
    small, stages = (height // scale, width // scale), (first_stage(scale), SECOND)
    keys = [stream(key, which) for which in (StageStream.FIRST, StageStream.SECOND)]
    first, second = (draw_numbers(stream(key, StageStream.NUMBERS)) for key in keys)
    photo = _capture(keys[0], first, stages[0], Canvas(hr, height, width), (height, width))
    photo = photo._replace(pixels=jpeg(photo.pixels, _within(stages[0].qualities, first.quality)))
    photo = _capture(keys[1], second, stages[1], photo, small)
    lr = resize_canvas(photo, small, *small, _filter(second.final_filter)).pixels
    return jpeg(lr, _within(stages[1].qualities, second.quality))


def draw_numbers(key: Key) -> Numbers:
    """Return the numbers of one stage; one draw, since each call of the generator takes long to compile."""
    return Numbers(*jax.random.uniform(key, (len(Numbers._fields),)))


def _within(bounds: Range, number: jax.Array) -> jax.Array:
    return bounds[0] + (bounds[1] - bounds[0]) * number


def _filter(number: jax.Array) -> jax.Array:
    return jnp.floor(len(FILTERS) * number)


def _capture(key: Key, numbers: Numbers, stage: DegradationStage, photo: Canvas, size: tuple[int, int]) -> Canvas:
    """Return `photo` blurred, resized to a random share of `size`, and with noise."""
    kernel = blur_kernel(numbers, stage)
    photo = photo._replace(pixels=blur(photo.pixels[None], kernel[None], border="symmetric")[0])
    factor, most = _within(stage.factors, numbers.factor), stage.factors[1]
    room = math.ceil(most * size[0]), math.ceil(most * size[1])
    height, width = (jnp.clip(jnp.round(factor * side), 1, limit) for side, limit in zip(size, room, strict=True))
    photo = resize_canvas(photo, room, height, width, _filter(numbers.filter))
    return photo._replace(pixels=add_noise(stream(key, StageStream.NOISE), numbers, stage, photo.pixels))


def blur_kernel(numbers: Numbers, stage: DegradationStage) -> jax.Array:
    """Return the blur kernel (k, k) of a stage, centred at k // 2: nothing, a Gaussian, or motion."""
    size, other = stage.kernel_size, jnp.where(numbers.isotropic < ISOTROPIC_SHARE, numbers.width, numbers.other_width)
    widths = _within(stage.widths, jnp.stack([numbers.width, other]))
    gaussian = anisotropic_kernels(widths[None], 2 * jnp.pi * numbers.angle[None], size)[0]
    motion = motion_kernel(4 * stage.widths[1] * numbers.width, numbers.angle, numbers.bend, size)
    kernel = jnp.where(numbers.blur < stage.sharp + stage.moved, motion, gaussian)
    return jnp.where(numbers.blur < stage.sharp, delta_kernel(size), kernel)


def motion_kernel(length: jax.Array, angle: jax.Array, bend: jax.Array, size: int) -> jax.Array:
    """Return the kernel (size, size) of even motion over `length` pixels, at most size - 1, along an arc.

    `angle` is a share of a whole turn; with `bend` from 0 to 1 the direction turns by -1/4 to 1/4 of one on the way. A
    random walk as DeblurGAN's would take most of the time to compile.
    """
    step = jnp.minimum(length, size - 1) / MOTION_STEPS
    times = jnp.arange(MOTION_STEPS) / (MOTION_STEPS - 1) - 0.5
    path = jnp.cumsum(step * jnp.exp(2j * jnp.pi * (angle + (bend - 0.5) / 2 * times)))
    middle = size // 2
    weights = jnp.full(MOTION_STEPS, 1 / MOTION_STEPS)
    return splat(path - path.mean() + (middle + 1j * middle), weights, size)


def add_noise(key: Key, numbers: Numbers, stage: DegradationStage, image: jax.Array) -> jax.Array:
    """Return `image` (H, W, C) with white or shot noise by `key`, in colour or grey.

    Shot noise is Poisson's by its normal limit, a variance in proportion to the level: at white it counts 450 photons
    or more, where the two hardly differ.
    """
    noise, level = jax.random.normal(key, image.shape), jnp.clip(image, 0, 1)
    grey = numbers.grey < GREY_SHARE
    noise = jnp.where(grey, noise[..., :1], noise)
    level = jnp.where(grey, level.mean(axis=-1, keepdims=True), level)
    # The root has no finite gradient at 0
    shape = jnp.where(numbers.shot < SHOT_SHARE, jnp.sqrt(jnp.maximum(level, 1e-4)), 1)
    return image + numbers.strength * stage.noise / 255 * shape * noise
