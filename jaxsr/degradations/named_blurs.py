"""Degradations that return the kernel of each photo too, as functions: `isotropic(key, hr, scale=2)`.

Photos are batches (N, H, W, C), floats in [0, 1], uint8 or uint16, of sides that are multiples of the scale;
UserError names what does not fit.
All are jit-able, with `scale` and `kernel_size` static.
"""

from collections.abc import Sequence

import jax

from jaxsr.degradations.blurring import blur
from jaxsr.degradations.camera_paths import JITTER
from jaxsr.degradations.camera_shake import EXPOSURES, draw_camera_shake
from jaxsr.degradations.photo_batches import Degraded, degrade_batch, keys_of_photos, photos_of
from jaxsr.degradations.table import GAUSSIAN_SIZE, SHAKE_SIZE
from jaxsr.imaging.color import round_to_levels
from jaxsr.support.errors import numbers_of
from jaxsr.support.randomness import Stream, streams
from jaxsr.support.types import AnyArray, Key


def isotropic(key: Key, hr: AnyArray, *, scale: int, kernel_size: int = GAUSSIAN_SIZE) -> Degraded:
    """Return `hr`, each photo blurred by an isotropic Gaussian of random width and reduced by bicubic, in 8 bits.

    Example: `lr, kernels = jaxsr.degradations.isotropic(jax.random.key(0), hr, scale=2)`.
    Source: setting 1 of DAN, Luo et al., NeurIPS 2020, section 4.1: the deviation is uniform in [0.2, scale] pixels.

    Args:
        key: a PRNG key, split among the photos.
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3 or 4.
        kernel_size: side k of the kernels, in pixels of the HR photo.

    Returns:
        Degraded(lr, kernels): photos (N, H / scale, W / scale, C) in [0, 1], and kernels (N, k, k) that sum to 1.

    Raises:
        UserError: for another scale, a size below 1, and sides that are not multiples of the scale.
    """
    return degrade_batch(keys_of_photos(key, hr), hr, "isotropic", scale=scale, kernel_size=kernel_size)


def anisotropic(key: Key, hr: AnyArray, *, scale: int, kernel_size: int = GAUSSIAN_SIZE) -> Degraded:
    """Return `hr`, each photo blurred by a noisy anisotropic Gaussian and reduced by bicubic, in 8 bits.

    Example: `lr, kernels = jaxsr.degradations.anisotropic(jax.random.key(0), hr, scale=2, kernel_size=11)`.
    Source: setting 2 of DAN, Luo et al., NeurIPS 2020, section 4.1: both deviations are uniform in [0.6, 5] pixels, the
    angle is any, each entry is enlarged by up to a quarter.

    Args:
        key: a PRNG key, split among the photos.
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3, 4 or 8.
        kernel_size: side k of the kernels, in pixels of the HR photo; the paper's are 11 at x2 and 31 at x4.

    Returns:
        Degraded(lr, kernels): photos (N, H / scale, W / scale, C) in [0, 1], and kernels (N, k, k) that sum to 1.

    Raises:
        UserError: for another scale, a size below 1, and sides that are not multiples of the scale.
    """
    return degrade_batch(keys_of_photos(key, hr), hr, "anisotropic", scale=scale, kernel_size=kernel_size)


def gaussian8(key: Key, hr: AnyArray, *, scale: int, kernel_size: int = GAUSSIAN_SIZE) -> Degraded:
    """Return `hr`, each photo blurred by one of the 8 kernels of Gaussian8 and reduced by bicubic, in 8 bits.

    Example: `lr, kernels = jaxsr.degradations.gaussian8(jax.random.key(0), hr, scale=4)`. The test set has each photo
    with all 8: `DEGRADATIONS["gaussian8"].test_kernels(scale, kernel_size)` returns them.
    Source: IKC, Gu et al., CVPR 2019, section 4.1.

    Args:
        key: a PRNG key, split among the photos.
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3 or 4.
        kernel_size: side k of the kernels, in pixels of the HR photo.

    Returns:
        Degraded(lr, kernels): photos (N, H / scale, W / scale, C) in [0, 1], and kernels (N, k, k) that sum to 1.

    Raises:
        UserError: for another scale, a size below 1, and sides that are not multiples of the scale.
    """
    return degrade_batch(keys_of_photos(key, hr), hr, "gaussian8", scale=scale, kernel_size=kernel_size)


def gaussian8_ikc(key: Key, hr: AnyArray, *, scale: int, kernel_size: int = GAUSSIAN_SIZE) -> Degraded:
    """Return what `gaussian8` does, at scale 2 with kernels of 0.9 to 1.6 pixels in place of 0.8 to 1.6.

    Example: `lr, kernels = jaxsr.degradations.gaussian8_ikc(jax.random.key(0), hr, scale=2)`. Bicubic enlargements of
    these photos score as the tables of IKC and DAN print, if scored by the protocol "y-full": Set5 28.85, 26.22 and
    24.58 dB at x2, x3 and x4 (printed: 28.82, 26.21, 24.57), Set14 26.04, 24.02, 22.80 (26.02, 24.01, 22.79). Their
    networks' rows were made with `gaussian8` and the protocol "y".

    Args:
        key: a PRNG key, split among the photos.
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2, 3 or 4.
        kernel_size: side k of the kernels, in pixels of the HR photo.

    Returns:
        Degraded(lr, kernels): photos (N, H / scale, W / scale, C) in [0, 1], and kernels (N, k, k) that sum to 1.

    Raises:
        UserError: for another scale, a size below 1, and sides that are not multiples of the scale.
    """
    return degrade_batch(keys_of_photos(key, hr), hr, "gaussian8_ikc", scale=scale, kernel_size=kernel_size)


def div2krk(key: Key, hr: AnyArray, *, scale: int) -> Degraded:
    """Return every `scale`-th pixel of `hr`, each photo blurred by a kernel as in DIV2KRK, in 8 bits.

    Example: `lr, kernels = jaxsr.degradations.div2krk(jax.random.key(0), hr, scale=2)`.
    Source: KernelGAN, Bell-Kligler et al., NeurIPS 2019, section 5.

    Args:
        key: a PRNG key, split among the photos.
        hr: photos (N, H, W, C) in [0, 1]; H and W are multiples of `scale`.
        scale: 2 or 4.

    Returns:
        Degraded(lr, kernels): photos (N, H / scale, W / scale, C) in [0, 1], and kernels (N, k, k) that sum to 1, of
        11x11 pixels at x2 and 31x31 at x4. As in the published files they are centred at k // 2; the blur moves them by
        half a block, which keeps `lr` aligned with `hr`.

    Raises:
        UserError: for another scale, and for sides that are not multiples of it.
    """
    return degrade_batch(keys_of_photos(key, hr), hr, "div2krk", scale=scale)


def motion(
    key: Key,
    hr: AnyArray,
    *,
    kernel_size: int = SHAKE_SIZE,
    exposures: Sequence[float] = EXPOSURES,
    jitter: Sequence[float] = JITTER,
) -> Degraded:
    """Return `hr`, each photo blurred by a random camera shake of its own, at full size and in 8 bits.

    Example: `blurred, kernels = jaxsr.degradations.motion(jax.random.key(0), sharp, kernel_size=32)`.
    Source: DeblurGAN, Kupyn et al., CVPR 2018, algorithm 1.

    Args:
        key: a PRNG key, split among the photos.
        hr: sharp photos (N, H, W, C) in [0, 1].
        kernel_size: side k of the kernels, at least 3; the shake's path is k - 4 pixels long.
        exposures: shares of the shake's time, in (0, 1]; each photo takes one of them.
        jitter: levels of camera-shake jitter (the paper's anxiety), one of which each photo takes; 0 is a straight
            line, 0.005 usual.

    Returns:
        Degraded(lr, kernels): blurred photos (N, H, W, C) in [0, 1], and kernels (N, k, k) that sum to 1.

    Raises:
        UserError: for kernels below 3 pixels, and for exposures or jitter that are no sequence, or out of range.
    """
    hr = photos_of(hr, 1)
    keys = streams(keys_of_photos(key, hr), Stream.BLUR_KERNEL)
    exposures, jitter = numbers_of("exposures", exposures, EXPOSURES), numbers_of("jitter", jitter, JITTER)
    options = {"exposures": exposures, "jitter": jitter}
    kernels = jax.vmap(lambda key: draw_camera_shake(key, kernel_size, **options))(keys).astype(hr.dtype)
    return Degraded(round_to_levels(blur(hr, kernels)), kernels)
