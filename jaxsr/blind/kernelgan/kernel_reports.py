"""Kernels of photo files, written as files and pictures, and scored where the truth is known."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jaxsr.blind.kernelgan.estimation import Estimate, check_photo, combine, estimate_kernels, rgb_photo
from jaxsr.data.images import Photo, write_photo
from jaxsr.data.kernel_files import KEY_X2, SUFFIXES, kernel_picture, read_kernel, write_kernel
from jaxsr.data.listing import pair_by_name
from jaxsr.degradations.centering import kernel_centre
from jaxsr.metrics.kernel_errors import centre_distance, kernel_error, kernel_psnr
from jaxsr.models.kernelgan import KERNEL_SIZE
from jaxsr.support.errors import UserError


def estimate_files(
    outputs: dict[Path, Path],
    *,
    scale: int,
    seeds: Sequence[int],
    fidelity: str,
    steps: int,
    pictures_every: int,
    tell: Callable[[int], object],
    keep: Callable[[Path, Sequence[Estimate]], object] = lambda path, estimates: None,
) -> tuple[dict[Path, np.ndarray], list[str]]:
    """Return the kernels of the photos whose paths are the keys of `outputs`, and why the others have none.

    The values are paths without suffix for `write_estimate`. With `pictures_every` above 0 the picture is there early
    and follows the kernel. `tell(step)` is called now and then, `keep(path, estimates)` once for each photo.
    """
    photos, failures = {}, []
    for path in outputs:
        try:
            photos[path] = rgb_photo(path)
            check_photo(photos[path])
        except UserError as error:
            photos.pop(path, None)
            failures.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    if not photos:
        return {}, failures
    stems = [outputs[path] for path in photos]

    def progress(step: int, found: dict[int, np.ndarray]) -> None:
        tell(step)
        for place, kernel in found.items() if pictures_every else ():
            write_picture(stems[place], combine([Estimate(0, kernel, np.zeros(0))], scale), scale)

    every = pictures_every or max(steps // 20, 1)
    options = {"seeds": seeds, "fidelity": fidelity, "steps": steps, "progress": progress, "progress_every": every}
    found = estimate_kernels(list(photos.values()), **options)
    kernels: dict[Path, np.ndarray] = {}
    for path, stem, estimates in zip(photos, stems, found, strict=True):
        keep(path, estimates)
        try:
            kernels[path] = write_estimate(stem, estimates, scale)
        except UserError as error:
            failures.append(f"{path}: {error}")
    return kernels, failures


def write_estimate(stem: Path, estimates: Sequence[Estimate], scale: int) -> np.ndarray:
    """Return the kernel of `estimates`, written to `stem` with .npz, .mat and .png.

    The first two have the raw ones beside it, `raw` (n, 13, 13) of the `seeds` (n,). For scale 4 they hold the kernel
    of scale 2 too, as `Kernel_x2`: a restorer in two stages takes both. Raises UserError as `combine` does.
    """
    kernel = combine(estimates, scale)
    facts = {"scale": scale, "seeds": [e.seed for e in estimates], "raw": np.stack([e.kernel for e in estimates])}
    if scale == 4:
        facts[KEY_X2] = combine(estimates, 2).astype(np.float32)
    for suffix in SUFFIXES:
        write_kernel(stem.with_name(stem.name + suffix), kernel, facts)
    write_picture(stem, kernel, scale)
    return kernel


def write_picture(stem: Path, kernel: np.ndarray, scale: int) -> None:
    """Write the picture of a finished `kernel` (k, k) to `stem` with .png."""
    unpadded = KERNEL_SIZE if scale == 2 else 2 * KERNEL_SIZE - 1
    centre = kernel_centre(unpadded, scale) + (len(kernel) - unpadded) / 2
    write_photo(stem.with_name(f"{stem.name}.png"), Photo(kernel_picture(kernel, centre=centre)))


def read_truth(photos: Sequence[Path], source: str) -> dict[Path, np.ndarray]:
    """Return the true kernels of `photos` by their paths, from one file for all, or a folder with one for each.

    A folder's are paired by name, or in the order of the numbers in names. Raises UserError for a folder with more or
    fewer kernels than photos.
    """
    path = Path(source).expanduser()
    if not path.is_dir():
        return dict.fromkeys(photos, read_kernel(path))
    files = [file for file in path.iterdir() if file.suffix in SUFFIXES]
    return {photo: read_kernel(file) for photo, file in pair_by_name(photos, files)}


def score_table(kernels: dict[Path, np.ndarray], truth: dict[Path, np.ndarray], scale: int) -> str:
    """Return a table of `kernels` against `truth`: a line for each photo, and the mean."""
    scores = {
        path.name: (kernel_error(k, truth[path]), kernel_psnr(k, truth[path]), centre_distance(k, truth[path], scale))
        for path, k in kernels.items()
    }
    scores["mean"] = tuple(np.mean(list(scores.values()), axis=0))
    width = max(map(len, scores))
    lines = [f"{name:{width}}  {e:6.3f}  {p:7.2f}  {d:8.3f}" for name, (e, p, d) in scores.items()]
    return "\n".join([f"{'photo':{width}}   error  PSNR dB  centre px", *lines])
