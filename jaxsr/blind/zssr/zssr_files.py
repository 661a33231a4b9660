"""Photo files restored by ZSSR, with a kernel that is given, estimated by KernelGAN, or bicubic's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jaxsr.blind.kernelgan.estimation import SEEDS, check_photo, combine, estimate_kernels, rgb_photo
from jaxsr.blind.kernelgan.estimation import check_scale as check_estimated_scale
from jaxsr.blind.kernelgan.kernel_reports import write_estimate
from jaxsr.blind.zssr.restoration import CROP, restore_zssr
from jaxsr.blind.zssr.stages import Kernels, check_scale, checked_plans, make_plan
from jaxsr.data.images import Photo, read_photo, write_photo
from jaxsr.data.kernel_files import read_kernels
from jaxsr.restoration.photo import with_alpha
from jaxsr.support.errors import UserError

ESTIMATE = "estimate"


def check_request(scale: int, kernel: str) -> None:
    """Raise UserError for a scale that ZSSR lacks, or KernelGAN for "estimate", and for a kernel file that is none."""
    check_scale(scale)
    if kernel == ESTIMATE:
        check_estimated_scale(scale)
    elif kernel:
        make_plan(read_kernels(kernel, scale), scale)


def restore_files(
    outputs: dict[Path, Path],
    *,
    scale: int,
    kernel: str = "",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> dict[Path, str]:
    """Write the photos whose paths are the keys of `outputs`, restored, to the values; return why some are not.

    That is a line for each path. They learn at the same time, one on each device. `kernel` is a file, "estimate", or ""
    for MATLAB's bicubic reduction; estimated kernels are written to kernels/ beside the photos. `seed`, `progress` and
    `options` (real, ensemble, steps) go to `restore_zssr`. Raises UserError, before any work, for a kernel file that is
    none.
    """
    given: Kernels = read_kernels(kernel, scale) if kernel not in ("", ESTIMATE) else None
    photos: dict[Path, Photo] = {}
    failures: dict[Path, str] = {}
    for path in outputs:
        try:
            photos[path] = _read(path, scale, given, estimated=kernel == ESTIMATE)
        except UserError as error:
            failures[path] = str(error) if str(path) in str(error) else f"{path}: {error}"
    if not photos:
        return failures
    kernels = dict.fromkeys(photos, given)
    if kernel == ESTIMATE:
        stems = {path: outputs[path].parent / "kernels" / outputs[path].stem for path in photos}
        kernels, failed = _estimated(photos, stems, scale, seed)
        failures |= failed
        photos = {path: photos[path] for path in kernels}
        if not photos:
            return failures
    pixels = [_levels(photo.pixels) for photo in photos.values()]
    results = restore_zssr(pixels, scale=scale, kernels=list(kernels.values()), seed=seed, progress=progress, **options)
    for path, result in zip(photos, results, strict=True):
        write_photo(outputs[path], _as_photo(result, photos[path], scale))
    return failures


def _read(path: Path, scale: int, kernel: Kernels, *, estimated: bool) -> Photo:
    """Return the photo in the file `path`; raises UserError where it could not be restored."""
    photo = read_photo(path)
    checked_plans([_levels(photo.pixels)], [kernel], scale, CROP)
    if estimated:
        check_photo(rgb_photo(photo.pixels))
    return photo


def _estimated(
    photos: dict[Path, Photo], stems: dict[Path, Path], scale: int, seed: int
) -> tuple[dict[Path, Kernels], dict[Path, str]]:
    """Return KernelGAN's kernels of `photos`, for scale 4 those of x2 and x4, and why some have none.

    They are written to `stems` with suffixes.
    """
    kernels: dict[Path, Kernels] = {}
    failures: dict[Path, str] = {}
    found = estimate_kernels([rgb_photo(photo.pixels) for photo in photos.values()], seeds=range(seed, seed + SEEDS))
    for path, estimates in zip(photos, found, strict=True):
        try:
            kernel = write_estimate(stems[path], estimates, scale)
        except UserError as error:
            failures[path] = f"{path}: {error}"
        else:
            kernels[path] = [combine(estimates, 2), kernel] if scale == 4 else kernel
    return kernels, failures


def _levels(pixels: np.ndarray) -> np.ndarray:
    """Return integer levels as float32 in [0, 1]."""
    return (pixels / np.iinfo(pixels.dtype).max).astype(np.float32)


def _as_photo(result: np.ndarray, photo: Photo, scale: int) -> Photo:
    """Return `result` (H, W, C) in [0, 1] in the depth of `photo`, whose alpha is enlarged by bicubic."""
    dtype = photo.pixels.dtype
    return with_alpha(photo, np.floor(result * np.iinfo(dtype).max + 0.5).astype(dtype), scale)
