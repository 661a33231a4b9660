"""Estimated kernels as files and pictures, the log of losses, and scores against known kernels."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxsr.blind.kernelgan.estimation import combine
from jaxsr.blind.kernelgan.parallel_runs import Estimate
from jaxsr.data.images import Photo, write_photo
from jaxsr.data.kernel_files import (
    KEY_SCALE,
    KEY_X2,
    SUFFIXES,
    is_kernel_name,
    kernel_picture,
    read_kernels,
    write_kernel,
)
from jaxsr.data.listing import pair_by_name
from jaxsr.data.output_names import shown_names
from jaxsr.degradations.centering import kernel_centre
from jaxsr.metrics.kernel_errors import centre_distance, kernel_error, kernel_psnr
from jaxsr.models.kernelgan import KERNEL_SIZE
from jaxsr.support.errors import UserError
from jaxsr.support.paths import exists, is_folder, user_path

LOSSES = ("generator", "bicubic", "discriminator")


def write_estimate(stem: Path, estimates: Sequence[Estimate], scale: int) -> np.ndarray:
    """Return the kernel of `estimates`, written to `stem` with .png, .npz and .mat.

    The last two also hold the raw kernels of the runs, `raw` (n, 13, 13), and their `seeds` (n,). For scale 4 they have
    the kernel of scale 2 as `Kernel_x2`, for restorers that work in two stages. Raises UserError as `combine` does.
    """
    kernel = combine(estimates, scale)
    write_picture(stem, kernel, scale)
    extras = {KEY_SCALE: scale, "seeds": [e.seed for e in estimates], "raw": np.stack([e.kernel for e in estimates])}
    if scale == 4:
        extras[KEY_X2] = combine(estimates, 2).astype(np.float32)
    for suffix in SUFFIXES:
        write_kernel(with_suffix(stem, suffix), kernel, extras)
    return kernel


def with_suffix(stem: Path, suffix: str) -> Path:
    """Return `stem` with `suffix` after its name, which may have dots of its own."""
    return stem.with_name(stem.name + suffix)


def write_picture(stem: Path, kernel: np.ndarray, scale: int) -> None:
    """Write the picture of a finished `kernel` (k, k) to `stem` with .png."""
    unpadded = KERNEL_SIZE if scale == 2 else 2 * KERNEL_SIZE - 1
    centre = kernel_centre(unpadded, scale) + (len(kernel) - unpadded) / 2
    write_photo(with_suffix(stem, ".png"), Photo(kernel_picture(kernel, centre=centre)))


def log_losses(path: Path, photo: str, estimates: Sequence[Estimate], every: int) -> None:
    """Append to the file `path` the mean losses of each `every` steps of the runs of `photo`, one JSON line each.

    A line has the name `photo`, the run's seed, the step, and generator_loss, bicubic_loss and discriminator_loss.
    """
    lines = []
    for estimate in estimates:
        for last in range(every, len(estimate.losses) + 1, every):
            means = np.mean(estimate.losses[last - every : last], axis=0)
            losses = {f"{name}_loss": float(mean) for name, mean in zip(LOSSES, means, strict=True)}
            lines.append(json.dumps({"photo": photo, "seed": estimate.seed, "step": last, **losses}) + "\n")
    if lines:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.writelines(lines)


def read_truth(photos: Sequence[Path], source: str, scale: int) -> dict[Path, np.ndarray]:
    """Return the true kernel for `scale` of each of `photos`: that of one file, or one of a folder with one for each.

    A folder's visible files are paired with photos by name, or by the order of the numbers in their names. Raises
    UserError for a path where nothing is, a folder with more or fewer kernels than photos, and for a file that is not a
    kernel, or is one for another scale.
    """
    path = user_path(source)
    if not (exists(path) or is_kernel_name(path)):
        raise UserError(f"no file or folder {source!r} of true kernels; check the path")
    if not is_folder(path):
        return dict.fromkeys(photos, _true_kernel(path, scale))
    visible = sorted(file for file in path.iterdir() if is_kernel_name(file) and file.name[0] != ".")
    files = list({file.stem: file for file in visible}.values())  # `estimate_kernel` writes each as .mat and as .npz
    if len(files) != len(photos):
        raise UserError(
            f"folder {path} holds {len(files)} kernels ({', '.join(SUFFIXES)}) for {len(photos)} photos; give one for "
            f"each, or a file for all"
        )
    return {photo: _true_kernel(file, scale) for photo, file in pair_by_name(photos, files, kinds=("LR", "kernel"))}


def _true_kernel(path: Path, scale: int) -> np.ndarray:
    """Return the kernel for `scale` in the file `path`; one for 4 may come after that for 2."""
    kernels = read_kernels(path, scale)
    return kernels[-1] if isinstance(kernels, list) else kernels


def score_table(kernels: Mapping[Path, np.ndarray], truth: Mapping[Path, np.ndarray], scale: int) -> str:
    """Return a table of the errors of `kernels` against `truth`, by photo: a line for each photo, and the mean.

    Photos of one name in several folders are named with these.
    """
    scores = [
        (kernel_error(k, truth[path]), kernel_psnr(k, truth[path]), centre_distance(k, truth[path], scale))
        for path, k in kernels.items()
    ]
    rows = [*zip(shown_names(kernels).values(), scores, strict=True), ("mean", np.mean(scores, axis=0))]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:{width}}  {e:6.3f}  {p:7.2f}  {d:8.3f}" for name, (e, p, d) in rows]
    return "\n".join([f"{'photo':{width}}   error  PSNR dB  centre px", *lines])
