"""Pairs of a sharp photo and a small one to score a model on, made as the protocols say or given."""

import dataclasses
import functools
import zlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from jaxsr.data.images import to_8_bit
from jaxsr.degradations.blur import degrade
from jaxsr.degradations.downscale import downscale, fitted_kernel
from jaxsr.degradations.kernels import KERNELS, gaussian8
from jaxsr.degradations.motion import ANXIETIES, EXPOSURES, draw_motion
from jaxsr.degradations.reductions import DEGRADATIONS
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.patches import modcrop
from jaxsr.imaging.resize import resize
from jaxsr.metrics.protocols import Protocol, cut_pixels
from jaxsr.support.errors import UserError, choose

# What `Protocol.resizer` says of the small photos. The first gives the bicubic rows printed in most papers.
UNROUNDED = Protocol.resizer
QUANTIZED = "MATLAB bicubic, 8 bits, clamped border"
GIVEN = "as given"
PILLOW = "PIL"  # the degradation of CUFED5's protocol
BLURRED = "blurred by a known kernel, MATLAB bicubic, 8 bits"
STRIDED = "blurred by a known kernel, every scale-th pixel, 8 bits"
SHAKEN = "blurred by random camera shake, 8 bits"
RESIZERS = {
    "BI": UNROUNDED,
    "BD": "7x7 Gaussian blur of 1.6 pixels, middle pixel of each block, 8 bits",
    "DN": "MATLAB bicubic, white noise of 30 levels, 8 bits",
    PILLOW: "Pillow's bicubic, 8 bits",
}


@dataclasses.dataclass(frozen=True)
class Pair:
    """A sharp photo `pixels` (scale h, scale w, C) uint8 and a small one `lr` (h, w, C) float32 in [0, 1], C 1 or 3.

    `resizer` says how the small one was made, `kernel` (k, k) by which blur, where that is known. At scale 1 the
    small one is as large as the sharp one, and blurred.
    """

    name: str
    pixels: np.ndarray
    lr: np.ndarray
    resizer: str
    kernel: np.ndarray | None = None
    _baseline: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def hr(self) -> np.ndarray:
        """The sharp photo in [0, 1], float64; made on demand, for it takes 8 times the memory."""
        return self.pixels / 255

    @property
    def scale(self) -> int:
        """The ratio of the two photos' sides."""
        return self.pixels.shape[0] // self.lr.shape[0]

    @property
    def enlarged(self) -> np.ndarray:
        """The small photo brought to the sharp one's size by bicubic."""
        return self.lr if self.scale == 1 else resize(self.lr, self.scale)

    def baseline(self, protocol: Protocol) -> dict[str, float]:
        """Return what the enlarged photo scores, computed once: training asks for it at every validation."""
        if protocol.name not in self._baseline:
            scores = protocol.score(self.enlarged, self.hr, scale=self.scale, luma_only=True)
            self._baseline[protocol.name] = scores
        return self._baseline[protocol.name]


def make_pair(name: str, pixels: np.ndarray, scale: int, *, degradation: str = "BI", quantize_lr: bool = False) -> Pair:
    """Return the pair of a sharp photo `pixels` (H, W, 1 or 3) uint8 or uint16, cut to multiples of `scale`.

    The small photo is MATLAB's bicubic reduction, unrounded; with `quantize_lr` rounded to 8 bits after each pass with
    the clamped border of the files that are published. "PIL" is Pillow's, in 8 bits. Other `degradation`s are rows
    of imaging.degradation.DEGRADATIONS; noise follows from the name. Raises UserError for a photo too small to
    score.
    """
    pixels = _cropped(name, pixels, scale)
    if degradation == PILLOW:
        return Pair(name, pixels, _reduced_by_pillow(pixels, scale), RESIZERS[PILLOW])
    if choose("degradation", degradation, RESIZERS) != UNROUNDED:
        key = key_of(name)
        hr = jnp.asarray(pixels[None] / 255, jnp.float32)
        return Pair(name, pixels, np.asarray(DEGRADATIONS[degradation](key[None], hr, scale)[0]), RESIZERS[degradation])
    options: dict[str, Any] = {"border": "clamp", "uint8_stages": True} if quantize_lr else {}
    lr = resize(pixels / 255, 1 / scale, **options).astype(np.float32)
    return Pair(name, pixels, lr, QUANTIZED if quantize_lr else UNROUNDED)


def _reduced_by_pillow(pixels: np.ndarray, scale: int) -> np.ndarray:
    """Return `pixels` (H, W, 1 or 3) uint8 reduced, float32 in [0, 1]."""
    height, width, channels = pixels.shape
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    small = np.asarray(image.resize((width // scale, height // scale), Image.Resampling.BICUBIC))
    return small.reshape(height // scale, width // scale, channels).astype(np.float32) / 255


def make_pairs(
    name: str,
    pixels: np.ndarray,
    scale: int,
    *,
    degradation: str = "BI",
    kernel_size: int = 21,
    quantize_lr: bool = False,
) -> list[Pair]:
    """Return the pair of a sharp photo, or its 8 pairs by the Gaussian8 kernels where kernels are "isotropic".

    With "anisotropic" ones it is one pair, by a random kernel that follows from the name. See `make_pair`.
    """
    if degradation == "isotropic":
        kernels = enumerate(gaussian8(scale, kernel_size), start=1)
        return [blurred_pair(f"{name}-{i}", pixels, kernel, scale) for i, kernel in kernels]
    if degradation == "anisotropic":
        return [blurred_pair(name, pixels, KERNELS[degradation](key_of(name), scale, kernel_size), scale)]
    return [make_pair(name, pixels, scale, degradation=degradation, quantize_lr=quantize_lr)]


def blurred_pair(name: str, pixels: np.ndarray, kernel: jax.Array, scale: int) -> Pair:
    """Return the pair of a sharp photo and its small one by `kernel` (k, k), bicubic reduction and 8 bits.

    At scale 1 nothing is reduced. Raises UserError for a photo too small to score, or to reflect half a kernel at its
    borders.
    """
    pixels, size = _cropped(name, pixels, scale), len(kernel)
    if min(pixels.shape[:2]) <= size // 2:
        raise UserError(
            f"{name}: {_size(pixels)} is too small for a kernel of {size}x{size}; use more than {size // 2}"
        )
    hr = jnp.asarray(pixels[None] / 255, jnp.float32)
    lr = degrade(key_of(name), hr, kernel[None], scale, reduction="bicubic" if scale > 1 else "strided")
    return Pair(name, pixels, np.asarray(lr[0]), BLURRED if scale > 1 else SHAKEN, np.asarray(kernel))


def shaken_pair(
    name: str,
    pixels: np.ndarray,
    *,
    kernel_size: int = 64,
    exposures: Sequence[float] = EXPOSURES,
    anxieties: Sequence[float] = ANXIETIES,
    seed: int = 0,
) -> Pair:
    """Return the pair, of scale 1, of a sharp photo and the same one blurred by random camera shake, in 8 bits.

    The shake and which of `exposures` it lasts follow from the name and `seed`; see `draw_motion`. Raises UserError for
    a photo too small to score, or to reflect half a kernel at its borders.
    """
    kernel = _one_shake(key_of(name, seed), kernel_size, tuple(exposures), tuple(anxieties))
    return blurred_pair(name, pixels, kernel, 1)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _one_shake(key: jax.Array, size: int, exposures: tuple[float, ...], anxieties: tuple[float, ...]) -> jax.Array:
    """Return the kernel (size, size) of a random path at one of `exposures`."""
    kernels = draw_motion(key, 1, size=size, exposures=exposures, anxieties=anxieties)[0]
    return kernels[jax.random.randint(jax.random.fold_in(key, 1), (), 0, len(exposures))]


def strided_pair(name: str, pixels: np.ndarray, kernel: np.ndarray, scale: int) -> Pair:
    """Return the pair of a sharp photo and every `scale`-th pixel of it, blurred by `kernel` (k, k), in 8 bits.

    The kernel is brought to where it keeps the two aligned first. Raises UserError for a photo too small to score.
    """
    pixels = _cropped(name, pixels, scale)
    hr, moved = jnp.asarray(pixels[None] / 255, jnp.float32), jnp.asarray(fitted_kernel(kernel, scale), jnp.float32)
    small = round_to_levels(np.asarray(downscale(hr, moved[None], scale)[0]))
    return Pair(name, pixels, small.astype(np.float32), STRIDED, kernel)


def key_of(name: str, seed: int = 0) -> jax.Array:
    """Return the random key of a photo, the same in every run."""
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(name.encode()))


def given_pair(name: str, pixels: np.ndarray, small: np.ndarray, scale: int) -> Pair:
    """Return the pair of a sharp photo `pixels` and a `small` one that exists, both (H, W, 1 or 3), integers.

    The sharp one may have up to `scale` - 1 more rows and columns. Raises UserError where sizes or channels differ.
    """
    pixels = _cropped(name, pixels, scale)
    height, width, channels = pixels.shape
    if small.shape != (height // scale, width // scale, channels):
        needed = f"at scale {scale} a small one" if scale > 1 else "a blurred one"
        raise UserError(
            f"{name}: a sharp photo of {_size(pixels)} needs {needed} of "
            f"{width // scale}x{height // scale}x{channels}; got {_size(small)}"
        )
    return Pair(name, pixels, (small / np.iinfo(small.dtype).max).astype(np.float32), GIVEN)


def _cropped(name: str, pixels: np.ndarray, scale: int) -> np.ndarray:
    """Return `pixels` with 8 bits, cut to multiples of `scale`."""
    least = 11 + 2 * cut_pixels(scale)  # SSIM's window after the border is cut
    if min(pixels.shape[:2]) < least:
        raise UserError(f"{name}: {_size(pixels)} is too small to score at scale {scale}; use {least} a side or more")
    return modcrop(to_8_bit(pixels), scale)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]}x{pixels.shape[0]}x{pixels.shape[2]}"
