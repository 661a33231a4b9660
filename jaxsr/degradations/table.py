"""The one table of degradations: by name, how an HR photo becomes a smaller or a blurred one.

The names are those of `train` (`data.degradation`), `evaluate` (`--degradation`), `degrade` (`--kind`) and Python.
"""

import dataclasses
import functools
import numbers
from collections.abc import Callable, Mapping

import jax

from jaxsr.degradations.blurring import blur
from jaxsr.degradations.camera_shake import draw_camera_shake
from jaxsr.degradations.centering import centre_kernels
from jaxsr.degradations.downscale import downscale
from jaxsr.degradations.kernels import (
    DIV2KRK_SIZES,
    GAUSSIAN8_IKC_WIDTHS,
    GAUSSIAN8_WIDTHS,
    ISOTROPIC_WIDTHS,
    draw_anisotropic,
    draw_div2krk,
    draw_gaussian8,
    draw_isotropic,
    gaussian8_kernels,
    of_scale,
)
from jaxsr.degradations.real_photos.two_stages import REAL_CONTEXT, reduce_real
from jaxsr.degradations.reductions import BICUBIC_CONTEXT, reduce_bd, reduce_bicubic, reduce_dn, reduce_pillow
from jaxsr.imaging.resize import resize
from jaxsr.support.errors import UserError, check_scale_of, choose
from jaxsr.support.types import Key

SCALES = (2, 3, 4, 8)  # of the networks; the formulas serve every integer
GAUSSIAN_SIZE, SHAKE_SIZE = 21, 64  # IKC's and DAN's kernels, and DeblurGAN's


@dataclasses.dataclass(frozen=True)
class Degradation:
    """How low-resolution photos are made from HR photos: one row of DEGRADATIONS.

    `summary` says in a line what is drawn, `resizer` what a score's protocol says of the photos. `reduce(keys, hr,
    kernels, scale)` returns them; `keys` (N,) are for noise. `draw(key, scale, size)` returns a kernel (size, size),
    whose default side is `kernel_sizes[scale]`; with `fixed_size` there is no other. `test_kernels(scale, size)`
    returns the kernels of a test set, each of which degrades every photo; a network trained on this row is validated
    on the row `validated_on`, by default this one.

    `context` is how many LR pixels beyond a patch's edge the reduction sees; half a kernel comes on top.
    With `eight_bit`, photos are rounded to 8 bits unless `quantize` says otherwise.
    """

    summary: str
    resizer: str
    scales: tuple[int, ...]
    reduce: Callable[[Key, jax.Array, jax.Array | None, int], jax.Array]
    draw: Callable[[Key, int, int], jax.Array] | None = None
    kernel_sizes: Mapping[int, int] = dataclasses.field(default_factory=dict)
    fixed_size: bool = False
    test_kernels: Callable[[int, int], jax.Array] | None = None
    validated_on: str = ""
    context: int = BICUBIC_CONTEXT
    eight_bit: bool = True


def _blur_and_reduce(keys: Key, hr: jax.Array, kernels: jax.Array | None, scale: int) -> jax.Array:
    """Return `hr` (N, H, W, C), blurred by `kernels` (N, k, k), reduced by MATLAB's bicubic (DAN, section 4.1)."""
    return resize(_blur(keys, hr, kernels, 1), 1 / scale)


def _blur_and_stride(keys: Key, hr: jax.Array, kernels: jax.Array | None, scale: int) -> jax.Array:
    """Return every `scale`-th pixel of `hr`, blurred by `kernels`, which are moved by half a block first."""
    assert kernels is not None
    return downscale(hr, centre_kernels(kernels, scale), scale)


def _blur(keys: Key, hr: jax.Array, kernels: jax.Array | None, scale: int) -> jax.Array:
    assert kernels is not None
    return blur(hr, kernels)


def _draw_isotropic(key: Key, scale: int, size: int) -> jax.Array:
    return draw_isotropic(key, 1, size=size, widths=of_scale(ISOTROPIC_WIDTHS, scale))[0]


BLURRED = "blurred by a known kernel, MATLAB bicubic, 8 bits"

DEGRADATIONS: dict[str, Degradation] = {
    "bicubic": Degradation(
        summary="nothing is drawn; MATLAB's bicubic reduction, not rounded",
        resizer="MATLAB bicubic, unrounded, symmetric border",
        scales=SCALES,
        reduce=lambda keys, hr, kernels, scale: reduce_bicubic(hr, scale),
        eight_bit=False,
    ),
    "pillow": Degradation(
        summary="nothing is drawn; Pillow's bicubic reduction, as CUFED5 is scored with",
        resizer="Pillow's bicubic, 8 bits",
        scales=SCALES,
        reduce=lambda keys, hr, kernels, scale: reduce_pillow(hr, scale),
    ),
    "bd": Degradation(
        summary="nothing is drawn; Gaussian blur of 1.6 pixels, middle pixel of each block (RDN, section 5.1)",
        resizer="7x7 Gaussian blur of 1.6 pixels, middle pixel of each block, 8 bits",
        scales=SCALES,
        reduce=lambda keys, hr, kernels, scale: reduce_bd(hr, scale),  # its blur reaches no further than bicubic's taps
    ),
    "dn": Degradation(
        summary="white noise of 30 levels after bicubic reduction (RDN, section 5.1)",
        resizer="MATLAB bicubic, white noise of 30 levels, 8 bits",
        scales=SCALES,
        reduce=lambda keys, hr, kernels, scale: reduce_dn(keys, hr, scale),
    ),
    "isotropic": Degradation(
        summary="an isotropic Gaussian kernel of random width, then bicubic (setting 1 of IKC and DAN)",
        resizer=BLURRED,
        scales=tuple(ISOTROPIC_WIDTHS),
        reduce=_blur_and_reduce,
        draw=_draw_isotropic,
        kernel_sizes=dict.fromkeys(ISOTROPIC_WIDTHS, GAUSSIAN_SIZE),
        validated_on="gaussian8",
    ),
    "anisotropic": Degradation(
        summary="a noisy anisotropic Gaussian kernel of random widths and angle, then bicubic (setting 2 of DAN)",
        resizer=BLURRED,
        scales=SCALES,
        reduce=_blur_and_reduce,
        draw=lambda key, scale, size: draw_anisotropic(key, 1, size=size)[0],
        kernel_sizes=dict.fromkeys(SCALES, GAUSSIAN_SIZE),
    ),
    "gaussian8": Degradation(
        summary="one of the 8 isotropic Gaussian kernels that IKC and DAN are tested with, then bicubic",
        resizer=BLURRED,
        scales=tuple(GAUSSIAN8_WIDTHS),
        reduce=_blur_and_reduce,
        draw=draw_gaussian8,
        kernel_sizes=dict.fromkeys(GAUSSIAN8_WIDTHS, GAUSSIAN_SIZE),
        test_kernels=gaussian8_kernels,
    ),
    "gaussian8_ikc": Degradation(
        summary="gaussian8 with x2's widths from 0.9: the photos behind the bicubic rows of IKC and DAN (with y-full)",
        resizer=BLURRED,
        scales=tuple(GAUSSIAN8_IKC_WIDTHS),
        reduce=_blur_and_reduce,
        draw=functools.partial(draw_gaussian8, widths=GAUSSIAN8_IKC_WIDTHS),
        kernel_sizes=dict.fromkeys(GAUSSIAN8_IKC_WIDTHS, GAUSSIAN_SIZE),
        test_kernels=functools.partial(gaussian8_kernels, widths=GAUSSIAN8_IKC_WIDTHS),
    ),
    "div2krk": Degradation(
        summary="a noisy anisotropic Gaussian kernel as in KernelGAN's DIV2KRK, then every scale-th pixel",
        resizer="blurred by a known kernel, every scale-th pixel, 8 bits",
        scales=tuple(DIV2KRK_SIZES),
        reduce=_blur_and_stride,
        draw=lambda key, scale, size: draw_div2krk(key, scale),
        kernel_sizes=DIV2KRK_SIZES,
        fixed_size=True,
        context=1,  # moving the kernel widens its frame, by no more than `scale` pixels
    ),
    "motion": Degradation(
        summary="a random camera shake and its exposure, at full size (DeblurGAN, algorithm 1)",
        resizer="blurred by random camera shake, 8 bits",
        scales=(1,),
        reduce=_blur,
        draw=lambda key, scale, size: draw_camera_shake(key, size),
        kernel_sizes={1: SHAKE_SIZE},
        context=0,
    ),
    "real": Degradation(
        summary="random blur, resizing, noise and JPEG, twice over, as photos in the field have them",
        resizer="random blur, resizing, noise and JPEG, twice over, 8 bits",
        scales=SCALES,
        reduce=reduce_real,
        context=REAL_CONTEXT,
    ),
}


def degradation_of(name: str, scale: int, kernel_size: int | None = None) -> tuple[Degradation, int]:
    """Return the row `name` and the side of its kernels at `scale`, 0 where it draws none.

    Raises UserError for an unknown name, and a scale or kernel size that the row does not have.
    """
    row = choose("degradation", name, DEGRADATIONS)
    check_scale_of(name, scale, row.scales)
    if row.draw is None:
        return row, 0
    default = row.kernel_sizes[scale]
    size = default if kernel_size is None else kernel_size
    if row.fixed_size and size != default:
        raise UserError(
            f"{name} at scale {scale} has kernels of {default}x{default}, not of {size}; leave the size out"
        )
    if not isinstance(size, numbers.Integral) or size < 1:
        raise UserError(f"kernel_size={size!r} must be a whole number, at least 1; {name} takes {default} by default")
    return row, int(size)  # also of NumPy's, which JSON does not take


def context_of(name: str, scale: int, kernel_size: int | None = None) -> int:
    """Return how many LR pixels beyond its edge a patch depends on; raises UserError as `degradation_of` does."""
    row, size = degradation_of(name, scale, kernel_size)
    return row.context - (-(size // 2) // scale)
