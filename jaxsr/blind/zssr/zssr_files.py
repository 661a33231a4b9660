"""Photo files restored by ZSSR."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxsr.blind.kernelgan.estimation import check_photo, rgb_photo
from jaxsr.blind.kernelgan.kernel_reports import write_estimate
from jaxsr.blind.zssr.kernel_choice import check_request, estimates_of, kernels_in_file, kernels_of, phases
from jaxsr.blind.zssr.restoration import restore_zssr
from jaxsr.blind.zssr.settings import DEFAULT_SETTINGS, ESTIMATE, ZSSRSettings
from jaxsr.blind.zssr.stages import Kernels, checked_stages
from jaxsr.data.images import Photo
from jaxsr.imaging.pixels import to_float, to_levels
from jaxsr.restoration.photo import with_alpha
from jaxsr.restoration.saving import DEFAULT_SAVING, SaveOptions
from jaxsr.support.errors import FAILURES, failure_line
from jaxsr.support.types import Progress


def restore_files(
    outputs: Mapping[Path, Path],
    *,
    scale: int,
    settings: ZSSRSettings = DEFAULT_SETTINGS,
    ensemble: bool = False,
    saving: SaveOptions = DEFAULT_SAVING,
    progress: Progress | None = None,
) -> dict[Path, str]:
    """Write the photos in the files that are keys of `outputs`, restored, to the values; return why some are not.

    Args:
        outputs: input files and where their results go. They are trained at the same time, one on each device.
        scale: 2, 3 or 4.
        settings: how each network learns. With `kernel="estimate"` the kernels are also written, to the folder kernels/
            beside each result.
        ensemble: whether the result is the median over 8 flips and turns.
        saving: how results are written.
        progress: `progress(done, total)` counts the training steps of all photos, and before them KernelGAN's.

    Returns:
        For each photo that could not be read, estimated or restored a line that names its file.

    Raises:
        UserError: before any work, for a scale or a kernel file that cannot be used: see `check_request`.
    """
    check_request(scale, settings)
    photos, failures = _readable(outputs, scale, settings, saving)
    kernels: dict[Path, Kernels] = dict.fromkeys(photos, kernels_in_file(scale, settings))
    estimating, training = phases(progress, len(photos), scale, settings)
    if settings.kernel == ESTIMATE and photos:
        stems = {path: outputs[path].parent / "kernels" / outputs[path].stem for path in photos}
        kernels, failed = _estimated(photos, stems, scale, settings, estimating)
        failures |= failed
    if not kernels:
        return failures
    pixels = [to_float(photos[path].pixels) for path in kernels]
    results = restore_zssr(
        pixels, scale=scale, kernels=list(kernels.values()), settings=settings, ensemble=ensemble, progress=training
    )
    for path, result in zip(kernels, results, strict=True):
        try:
            saving.write(outputs[path], _as_photo(result, photos[path], scale), scale)
        except FAILURES as error:
            failures[path] = failure_line(path, error)
    return failures


def _readable(
    outputs: Mapping[Path, Path], scale: int, settings: ZSSRSettings, saving: SaveOptions
) -> tuple[dict[Path, Photo], dict[Path, str]]:
    """Return the photos in the files that are keys of `outputs` that can be restored, and why the others cannot."""
    kernels = kernels_in_file(scale, settings)
    photos: dict[Path, Photo] = {}
    failures: dict[Path, str] = {}
    for path, output in outputs.items():
        try:
            photo = saving.read(path, output, scale)
            checked_stages([to_float(photo.pixels)], [kernels], scale=scale, crop=settings.crop)
            if settings.kernel == ESTIMATE:
                check_photo(rgb_photo(photo.pixels))
        except FAILURES as error:
            failures[path] = failure_line(path, error)
        else:
            photos[path] = photo
    return photos, failures


def _estimated(
    photos: Mapping[Path, Photo],
    stems: Mapping[Path, Path],
    scale: int,
    settings: ZSSRSettings,
    progress: Progress | None,
) -> tuple[dict[Path, Kernels], dict[Path, str]]:
    """Return KernelGAN's kernels of `photos`, written to `stems` with suffixes, and why some have none."""
    kernels: dict[Path, Kernels] = {}
    failures: dict[Path, str] = {}
    estimates = estimates_of([photo.pixels for photo in photos.values()], scale, settings, progress)
    for path, runs in zip(photos, estimates, strict=True):
        try:
            write_estimate(stems[path], runs, scale)
            kernels[path] = kernels_of(runs, scale, path)
        except FAILURES as error:
            failures[path] = failure_line(path, error)
    return kernels, failures


def _as_photo(result: np.ndarray, photo: Photo, scale: int) -> Photo:
    """Return `result` (H, W, C) in [0, 1] in the depth of `photo`, whose alpha is enlarged by bicubic."""
    return with_alpha(photo, to_levels(result, photo.pixels.dtype), scale)
