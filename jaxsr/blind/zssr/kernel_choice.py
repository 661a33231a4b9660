"""Which kernel reduced a photo: one in a file, one that KernelGAN estimates, or MATLAB's bicubic reduction."""

from collections.abc import Sequence

import numpy as np

from jaxsr.blind.kernelgan.estimation import combine, estimate_kernels, rgb_photo, warn_of_width
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.blind.kernelgan.kernelgan_options import check_scale as check_estimated_scale
from jaxsr.blind.kernelgan.parallel_runs import Estimate
from jaxsr.blind.zssr.settings import ESTIMATE, ZSSRSettings
from jaxsr.blind.zssr.stages import STAGE_SCALES, Kernels, check_scale, make_stages
from jaxsr.data.kernel_files import read_kernels
from jaxsr.support.progress import part_of
from jaxsr.support.types import Progress


def check_request(scale: int, settings: ZSSRSettings) -> None:
    """Raise UserError for a scale that ZSSR lacks, or KernelGAN for "estimate", and for a file that is not a kernel."""
    check_scale(scale)
    if settings.kernel == ESTIMATE:
        check_estimated_scale(scale)
    elif settings.kernel:
        make_stages(read_kernels(settings.kernel, scale), scale)


def kernels_in_file(scale: int, settings: ZSSRSettings) -> Kernels:
    """Return the kernels for `scale` in the file of `settings.kernel`; None where that names no file."""
    return None if settings.kernel in ("", ESTIMATE) else read_kernels(settings.kernel, scale)


def phases(
    progress: Progress | None, photos: int, scale: int, settings: ZSSRSettings
) -> tuple[Progress | None, Progress | None]:
    """Return the progress of estimating the kernels of `photos` photos, and that of their training steps after it."""
    if progress is None or settings.kernel != ESTIMATE:
        return None, progress
    options = _kernelgan_options(scale, settings)
    estimating = photos * options.steps * len(options.all_seeds)
    total = estimating + photos * settings.steps * len(STAGE_SCALES[scale])
    return part_of(progress, 0, total), part_of(progress, estimating, total)


def estimates_of(
    photos: Sequence[np.ndarray], scale: int, settings: ZSSRSettings, progress: Progress | None = None
) -> list[list[Estimate]]:
    """Return KernelGAN's estimates for each of `photos` (H, W, 1 or 3), of any depth; progress counts its steps."""
    options = _kernelgan_options(scale, settings)
    return estimate_kernels([rgb_photo(photo) for photo in photos], options, progress=progress)


def _kernelgan_options(scale: int, settings: ZSSRSettings) -> KernelGANOptions:
    return KernelGANOptions(scale=scale, seed=settings.seed)


def kernels_of(estimates: Sequence[Estimate], scale: int, name: object = "photo") -> Kernels:
    """Return the kernels that the `estimates` of one photo give: for scale 4 those of scales 2 and 4.

    A warning that names the photo says where they were made much narrower, as its spectrum shows.
    """
    warn_of_width(name, estimates)
    return [combine(estimates, 2), combine(estimates, 4)] if scale == 4 else combine(estimates, scale)


def choose_kernels(
    photos: Sequence[np.ndarray], scale: int, settings: ZSSRSettings, progress: Progress | None = None
) -> list[Kernels]:
    """Return the kernels of each of `photos` (H, W, 1 or 3) as `settings.kernel` says; None for bicubic.

    `progress(done, total)` counts KernelGAN's steps where it estimates them.

    Raises UserError as `check_request` does, and where a photo's kernel cannot be estimated.
    """
    check_request(scale, settings)
    if settings.kernel == ESTIMATE:
        return [kernels_of(estimates, scale) for estimates in estimates_of(photos, scale, settings, progress)]
    return [kernels_in_file(scale, settings)] * len(photos)
