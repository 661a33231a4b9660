"""Pairs of an HR photo and an LR photo to score a model on, made as a protocol says or given."""

import dataclasses
import zlib

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from jaxsr.degradations.camera_shake import draw_camera_shake
from jaxsr.degradations.table import DEGRADATIONS, degradation_of
from jaxsr.evaluation.pair_options import BICUBIC_PAIRS, PairOptions
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.patches import modcrop
from jaxsr.imaging.pixels import to_8_bit, to_float, to_rgb
from jaxsr.imaging.resize import resize
from jaxsr.metrics.protocols import Protocol, cut_pixels
from jaxsr.support.errors import UserError

# What `Protocol.resizer` says of LR photos that no row of the table describes.
QUANTIZED = "MATLAB bicubic, 8 bits, clamped border"
GIVEN = "as given"


@dataclasses.dataclass(frozen=True)
class Pair:
    """An HR photo `hr_levels` (scale h, scale w, C) uint8 and an LR one `lr` (h, w, C) float32 in [0, 1], C 1 or 3.

    `resizer` says how the LR photo was made, `kernel` (k, k) by which blur, where that is known. At scale 1 the two are
    of one size, and `lr` is blurred.
    """

    name: str
    hr_levels: np.ndarray
    lr: np.ndarray
    resizer: str
    kernel: np.ndarray | None = None
    _baseline: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def hr(self) -> np.ndarray:
        """The HR photo in [0, 1], float64; made on demand, for it takes 8 times the memory."""
        return self.hr_levels / 255

    @property
    def scale(self) -> int:
        """The ratio of the two photos' sides."""
        return self.hr_levels.shape[0] // self.lr.shape[0]

    @property
    def enlarged(self) -> np.ndarray:
        """The LR photo brought to the HR photo's size by bicubic."""
        return self.lr if self.scale == 1 else resize(self.lr, self.scale)

    def as_rgb(self) -> "Pair":
        """Return the pair with grey photos repeated."""
        return dataclasses.replace(self, hr_levels=to_rgb(self.hr_levels), lr=to_rgb(self.lr), _baseline={})

    def baseline(self, protocol: Protocol) -> dict[str, float]:
        """Return what the enlarged photo scores, computed once: training asks for it at every validation."""
        if protocol.name not in self._baseline:
            scores = protocol.score(self.enlarged, self.hr, scale=self.scale, luma_only=True)
            self._baseline[protocol.name] = scores
        return self._baseline[protocol.name]


def pair_names(name: str, scale: int, options: PairOptions = BICUBIC_PAIRS) -> list[str]:
    """Return the names of the pairs of a photo `name`: its own, or for each kernel of a test set one with a number."""
    row, size = degradation_of(options.degradation, scale, options.kernel_size)
    if row.test_kernels is None:
        return [name]
    return [f"{name}-{i}" for i in range(1, len(row.test_kernels(scale, size)) + 1)]


def make_pairs(name: str, pixels: np.ndarray, scale: int, options: PairOptions = BICUBIC_PAIRS) -> list[Pair]:
    """Return the pair of an HR photo `pixels` (H, W, 1 or 3), integers, or one for each kernel of a test set.

    That is 8 pairs, `name`-1 to `name`-8, for "gaussian8"; of other kernels one is drawn. The photo is cut to multiples
    of `scale`. Raises UserError for options that do not fit, and for a photo too small to score or to blur.
    """
    row, size = degradation_of(options.degradation, scale, options.kernel_size)
    if row.test_kernels is not None:
        named = zip(pair_names(name, scale, options), row.test_kernels(scale, size), strict=True)
        return [kernel_pair(own, pixels, kernel, scale, options.degradation) for own, kernel in named]
    if row.draw is None:
        return [make_pair(name, pixels, scale, options)]
    key = key_of(name, options.seed)
    if options.degradation == "motion":
        exposures, jitter = options.shake
        kernel = draw_camera_shake(key, size, exposures=exposures, jitter=jitter)
    else:
        kernel = row.draw(key, scale, size)
    return [kernel_pair(name, pixels, kernel, scale, options.degradation)]


def make_pair(name: str, pixels: np.ndarray, scale: int, options: PairOptions = BICUBIC_PAIRS) -> Pair:
    """Return the pair of an HR photo `pixels` (H, W, 1 or 3), integers, by a degradation that draws no kernel.

    The photo is cut to multiples of `scale`. Raises UserError for a photo too small to score.
    """
    row, _ = degradation_of(options.degradation, scale)
    pixels = _cropped(name, pixels, scale)
    if options.degradation == "bicubic":  # in double precision, as published scores are
        rounding = {"border": "clamp", "uint8_stages": True} if options.quantize_lr else {}
        lr = resize(pixels / 255, 1 / scale, **rounding).astype(np.float32)
        return Pair(name, pixels, lr, QUANTIZED if options.quantize_lr else row.resizer)
    if options.degradation == "pillow":
        return Pair(name, pixels, _reduced_by_pillow(pixels, scale), row.resizer)
    key = key_of(name, options.seed)
    return Pair(name, pixels, np.asarray(row.reduce(key[None], _batch(pixels), None, scale)[0]), row.resizer)


def _reduced_by_pillow(pixels: np.ndarray, scale: int) -> np.ndarray:
    """Return `pixels` (H, W, 1 or 3) uint8 reduced by Pillow itself, float32 in [0, 1]."""
    height, width, channels = pixels.shape
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    lr = np.asarray(image.resize((width // scale, height // scale), Image.Resampling.BICUBIC))
    return to_float(lr.reshape(height // scale, width // scale, channels))


def kernel_pair(
    name: str, pixels: np.ndarray, kernel: np.ndarray | jax.Array, scale: int, degradation: str = "isotropic"
) -> Pair:
    """Return the pair of an HR photo and what a `kernel` (k, k) makes of it, in 8 bits, reduced as by `degradation`.

    That is bicubic for Gaussian kernels, striding for "div2krk", and nothing for "motion". Raises UserError for a photo
    too small to score, or to reflect half a kernel at its borders.
    """
    pixels, size = _cropped(name, pixels, scale), len(kernel)
    if min(pixels.shape[:2]) <= size // 2:
        raise UserError(
            f"{name}: {_size(pixels)} is too small for a kernel of {size}x{size}; use more than {size // 2}"
        )
    row, key = DEGRADATIONS[degradation], key_of(name)
    lr = row.reduce(key[None], _batch(pixels), jnp.asarray(kernel, jnp.float32)[None], scale)[0]
    return Pair(name, pixels, np.asarray(round_to_levels(lr)), row.resizer, np.asarray(kernel))


def key_of(name: str, seed: int = 0) -> jax.Array:
    """Return the PRNG key of a photo, the same in every run."""
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(name.encode()))


def given_pair(name: str, pixels: np.ndarray, lr: np.ndarray, scale: int) -> Pair:
    """Return the pair of an HR photo `pixels` and an LR photo that exists, both (H, W, 1 or 3), integers.

    The HR photo may have up to `scale` - 1 more rows and columns. Where one is grey and the other RGB, grey is
    repeated. Raises UserError where sizes differ.
    """
    if pixels.shape[2] != lr.shape[2]:
        pixels, lr = to_rgb(pixels), to_rgb(lr)
    pixels = _cropped(name, pixels, scale)
    height, width, channels = pixels.shape
    if lr.shape != (height // scale, width // scale, channels):
        other = f"at scale {scale} an LR photo" if scale > 1 else "a blurred one"
        raise UserError(
            f"{name}: an HR photo of {_size(pixels)} needs {other} of "
            f"{width // scale}x{height // scale}x{channels}; got {_size(lr)}"
        )
    return Pair(name, pixels, to_float(lr), GIVEN)


def _batch(pixels: np.ndarray) -> jax.Array:
    return jnp.asarray(to_float(pixels)[None])


def _cropped(name: str, pixels: np.ndarray, scale: int) -> np.ndarray:
    """Return `pixels` with 8 bits, cut to multiples of `scale`."""
    least = 11 + 2 * cut_pixels(scale)  # SSIM's window after the border is cut
    if min(pixels.shape[:2]) < least:
        raise UserError(f"{name}: {_size(pixels)} is too small to score at scale {scale}; use {least} a side or more")
    return modcrop(to_8_bit(pixels), scale)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]}x{pixels.shape[0]}x{pixels.shape[2]}"
