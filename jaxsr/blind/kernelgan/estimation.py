"""The blur kernels of photos, estimated by KernelGAN.

Bell-Kligler, Shocher, Irani, "Blind Super-Resolution Kernel Estimation using an Internal-GAN", NeurIPS 2019.
"""

import os
from collections.abc import Sequence

import numpy as np
from absl import logging
from PIL import Image

from jaxsr.blind.kernelgan.crops import draw_crops, usable_part
from jaxsr.blind.kernelgan.kernelgan_options import DEFAULT_OPTIONS, KernelGANOptions
from jaxsr.blind.kernelgan.parallel_runs import Estimate, Example, OnKernels, make_batches, run_batch
from jaxsr.blind.kernelgan.postprocessing import finish, raw_variance
from jaxsr.blind.kernelgan.spectral_width import kernel_variance, variance_factor
from jaxsr.data.codecs.pillow_photos import FILE_MODES, photo_of_image
from jaxsr.data.images import read_pixels
from jaxsr.imaging.pixels import to_float, to_rgb
from jaxsr.models.precision import in_32_bits
from jaxsr.restoration.array_photos import check_array
from jaxsr.support.errors import UserError
from jaxsr.support.types import Progress

# The kernel of a collapsed run sums to 0. Such runs are left out; if all collapsed, that is an error, but only after
# so many steps: before, no kernel has formed yet.
MIN_KERNEL_SUM, MIN_STEPS_TO_JUDGE = 0.1, 1000
WARNED_FACTOR = 0.75  # a smaller correction of the variance is within the spread of both estimates
REPORTS = 20  # times that progress is reported in a run

AnyPhoto = np.ndarray | Image.Image | str | os.PathLike


def estimate_kernel(
    photo: AnyPhoto, *, scale: int = 2, seed: int = 0, seeds: int = 4, fidelity: str = "mixed"
) -> np.ndarray:
    """Return the kernel (k, k) whose blur, before every `scale`-th pixel was kept, made `photo` from a larger one.

    Example:
        kernel = jaxsr.estimate_kernel("photo.png", scale=2)

    Args:
        photo: a NumPy array (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], a PIL image or a path, of at least
            86 x 86 pixels. Alpha is left out.
        scale: how many times larger the photo is to become, 2 or 4.
        seed: seed of the first run. The same seed gives the same kernel.
        seeds: number of runs, with consecutive seeds, whose kernels are averaged.
        fidelity: "mixed", "steady", "paper" or "published_code": see `recipes.py`. With the first two the kernel's
            width is corrected by the photo's spectrum; a warning is logged where it becomes much narrower.

    Returns:
        A float64 kernel that sums to 1, in correlation orientation, centred for reduction from pixel 0
        (`degradations/centering.py`). Its side k is 15 or more at scale 2, 27 or more at scale 4.

    Raises:
        UserError: for a wrong option, for another kind of photo, and for one that is too small or without detail.

    Source: Bell-Kligler et al., NeurIPS 2019.
    """
    options = KernelGANOptions(scale=scale, seed=seed, seeds=seeds, fidelity=fidelity)
    (estimates,) = estimate_kernels([rgb_photo(photo)], options)
    warn_of_width("photo", estimates)
    return combine(estimates, scale)


@in_32_bits
def estimate_kernels(
    photos: Sequence[np.ndarray],
    options: KernelGANOptions = DEFAULT_OPTIONS,
    *,
    progress: Progress | None = None,
    on_kernels: OnKernels | None = None,
) -> list[list[Estimate]]:
    """Return for each of `photos` (H, W, 3) in [0, 1] the Estimate of each of its runs, in the order of the seeds.

    All local devices take part. The same call gives the same kernels, bit for bit, whatever other photos are estimated
    with it and on any number of devices, as long as each device makes one run at a time, as on a CPU. Batches of
    several runs round differently, and the two networks amplify that: another kernel, as good.

    `progress(done, total)` counts the steps of all runs. Every `options.pictures_every` steps, and at the end of each
    batch of runs, `on_kernels(step, kernels)` gets the mean kernel (13, 13) over a photo's runs, by its index in
    `photos`. Raises UserError, before any work, for a photo that is too small or flat.
    """
    examples = _examples(photos, options)
    steps, done, total = options.steps, 0, options.steps * len(examples)
    every = options.pictures_every or (max(steps // REPORTS, 1) if progress else steps)
    estimates: dict[tuple[int, int], Estimate] = {}
    for batch in make_batches(examples):

        def report(step: int, kernels: dict[int, np.ndarray], done: int = done, size: int = len(batch)) -> None:
            if progress is not None:
                progress(done + size * step, total)
            if on_kernels is not None:
                on_kernels(step, kernels)

        results = run_batch(batch, report_every=min(every, steps), report=report)
        estimates |= {(example.index, example.seed): one for example, one in zip(batch, results, strict=True)}
        done += steps * len(batch)
    return [[estimates[index, seed] for seed in options.all_seeds] for index in range(len(photos))]


def _examples(photos: Sequence[np.ndarray], options: KernelGANOptions) -> list[Example]:
    """Return the runs of all `photos`; raises UserError for one that cannot be estimated."""
    parts = [usable_part(photo) for photo in photos]
    variances = [kernel_variance(photo, options.scale) if options.checks_width else None for photo in photos]
    return [
        Example(
            *(part, index, seed, options.recipe(seed)),
            corners=draw_crops(np.random.default_rng(seed), part, options.steps),
            spectral_variance=variances[index],
        )
        for index, part in enumerate(parts)
        for seed in options.all_seeds
    ]


def check_photo(photo: np.ndarray) -> None:
    """Raise UserError unless the kernel of `photo` (H, W, 3) in [0, 1] can be estimated."""
    draw_crops(np.random.default_rng(0), usable_part(photo), 1)


def combine(estimates: Sequence[Estimate], scale: int) -> np.ndarray:
    """Return the finished kernel (k, k) of a photo: that of the mean of its `estimates`, without collapsed runs.

    Its width is corrected where the photo's spectrum shows another one (`spectral_width.variance_factor`). Raises
    UserError where all runs collapsed.
    """
    kernel = _mean_kernel(estimates)
    return finish(kernel, scale, factor=_variance_factor(kernel, estimates))


def _mean_kernel(estimates: Sequence[Estimate]) -> np.ndarray:
    """Return the mean raw kernel (13, 13) of the `estimates` that did not collapse; UserError where all did."""
    largest = max(estimate.kernel.sum() for estimate in estimates)
    if len(estimates[0].losses) >= MIN_STEPS_TO_JUDGE and largest < MIN_KERNEL_SUM:
        seeds = ", ".join(str(estimate.seed) for estimate in estimates)
        raise UserError(f"no kernel was found with the seeds {seeds}; try others, or more: --seed, --seeds")
    least = MIN_KERNEL_SUM * largest if largest > 0 else -np.inf  # early in a run sums are near 0, of either sign
    return np.mean([estimate.kernel for estimate in estimates if estimate.kernel.sum() >= least], axis=0)


def _variance_factor(kernel: np.ndarray, estimates: Sequence[Estimate]) -> float:
    """Return by what the variance of the mean raw `kernel` is multiplied."""
    of_spectrum = estimates[0].spectral_variance
    return 1.0 if of_spectrum is None else variance_factor(raw_variance(kernel), of_spectrum)


def warn_of_width(name: object, estimates: Sequence[Estimate]) -> None:
    """Log a warning about the photo `name` where `combine` makes the kernel of its `estimates` much narrower."""
    kernel = _mean_kernel(estimates)
    factor = _variance_factor(kernel, estimates)
    if factor < WARNED_FACTOR:
        width = raw_variance(kernel) ** 0.5
        logging.warning(
            "%s: KernelGAN's kernel, of deviation %.2f pixels, is too wide for the photo's spectrum; "
            "narrowed to %.2f, which may leave the result a little soft",
            *(name, width, width * factor**0.5),
        )


def rgb_photo(photo: AnyPhoto) -> np.ndarray:
    """Return a photo of any kind, see `estimate_kernel`, as float32 (H, W, 3) in [0, 1] without alpha."""
    if isinstance(photo, Image.Image):  # upright and with its colours, as from its file
        pixels = photo_of_image(photo, modes=FILE_MODES).pixels
    else:
        pixels = read_pixels(photo) if isinstance(photo, str | os.PathLike) else np.asanyarray(photo)
    check_array(pixels)
    bands = np.asarray(pixels)[..., None] if pixels.ndim == 2 else pixels
    return to_rgb(to_float(bands[..., : 3 if bands.shape[-1] > 2 else 1]))
