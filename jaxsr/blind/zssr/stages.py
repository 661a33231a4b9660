"""The scales and kernels that ZSSR trains for a photo, in order, checked before any work."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from jaxsr.degradations.downscale import fitted_kernel, ideal_kernel
from jaxsr.imaging.arrays import check_range
from jaxsr.support.errors import UserError, check_scale_of

Kernels: TypeAlias = np.ndarray | Sequence[np.ndarray] | None  # of one photo: one, one for each stage, or bicubic's

STAGE_SCALES = {2: (2,), 3: (3,), 4: (2, 4)}  # x4 is trained gradually, from the weights for x2
MIN_SON_SIDE = 16  # pixels


class Stage(NamedTuple):
    """A `scale` to train for, and the centred `kernel` (k, k) that reduces fathers to sons."""

    scale: int
    kernel: np.ndarray


def checked_stages(
    photos: Sequence[np.ndarray], kernels: Sequence[Kernels], *, scale: int, crop: int
) -> list[list[Stage]]:
    """Return the stages of each photo, or raise UserError for the first mistake; see `restore_zssr`."""
    check_scale(scale)
    if len(kernels) != len(photos):
        raise UserError(f"{len(kernels)} kernels for {len(photos)} photos; give one for each, None for bicubic")
    least = MIN_SON_SIDE * scale
    if crop < least:
        raise UserError(f"crop={crop} is too small for zssr at scale {scale}; use at least {least}")
    stages_of_photos = []
    for photo, own_kernels in zip(photos, kernels, strict=True):
        _check_photo(photo, least)
        stages = make_stages(own_kernels, scale)
        for stage in stages:
            _check_kernel(stage, fitting_crop(photo, stage.scale, crop))
        stages_of_photos.append(stages)
    return stages_of_photos


def check_scale(scale: int) -> None:
    """Raise UserError for a scale that cannot be learned from a photo."""
    check_scale_of("zssr", scale, STAGE_SCALES)


def _check_photo(photo: np.ndarray, least: int) -> None:
    """Raise UserError unless `photo` is (H, W, 1 or 3) in [0, 1] with `least` pixels a side."""
    if photo.ndim != 3 or photo.shape[-1] not in (1, 3):
        raise UserError(f"zssr takes photos of shape (H, W, 1 or 3); got {photo.shape}")
    height, width = photo.shape[:2]
    if min(height, width) < least:
        raise UserError(f"a photo of {width}x{height} pixels is too small for zssr; use at least {least}x{least}")
    check_range(photo)


def make_stages(kernels: Kernels, scale: int) -> list[Stage]:
    """Return the stages of a photo whose reduction by `scale` has `kernels`: one, one for each stage, or None."""
    scales = STAGE_SCALES[scale]
    if kernels is None:
        return [Stage(s, ideal_kernel(s)) for s in scales]
    if isinstance(kernels, np.ndarray) and kernels.ndim == 2:
        scales, kernels = (scale,), [kernels]
    if len(kernels) != len(scales):
        raise UserError(f"{len(kernels)} kernels for scale {scale}; give one, or those for scales {scales}")
    return [Stage(s, _fitted(np.asarray(kernel, np.float64), s)) for s, kernel in zip(scales, kernels, strict=True)]


def _fitted(kernel: np.ndarray, scale: int) -> np.ndarray:
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1]:
        raise UserError(f"a blur kernel is a square (k, k); got {kernel.shape}")
    return fitted_kernel(kernel, scale)


def _check_kernel(stage: Stage, crop: int) -> None:
    size = len(stage.kernel)
    if size > crop:
        raise UserError(f"a kernel of {size}x{size} is larger than the crops of {crop}x{crop}; use a larger photo")


def fitting_crop(photo: np.ndarray, scale: int, crop: int) -> int:
    """Return the side of the largest square in `photo`, at most `crop`, that is a multiple of `scale`."""
    return min(crop, *photo.shape[:2]) // scale * scale
