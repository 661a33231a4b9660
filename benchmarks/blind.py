"""Scores KernelGAN with ZSSR on photos of DIV2KRK, beside bicubic and ZSSR with the true kernels.

    python -m benchmarks.blind --data=DIV2KRK --json=FILE [--scales=2,4] [--steps=3000] [--crop=128] [--middle=0]

DIV2KRK has gt/, and for each scale lr_xS/ and gt_k_xS/. Each photo's row is written to FILE when it is done, and a
second run goes on from there; estimated kernels stay in the folder FILE_kernels. `--middle=384` restores and scores the
middle of each photo alone, of so many pixels a side; kernels are always estimated from the whole photo.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from absl import flags

from benchmarks.arguments import check_names, check_no_more
from benchmarks.measurements import read_rows
from jaxsr.blind.kernelgan.estimation import estimate_kernels, rgb_photo
from jaxsr.blind.kernelgan.kernel_reports import read_truth, with_suffix, write_estimate
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.blind.zssr.restoration import restore_zssr
from jaxsr.blind.zssr.settings import ZSSRSettings
from jaxsr.blind.zssr.stages import Kernels
from jaxsr.data.kernel_files import read_kernel, read_kernels
from jaxsr.imaging.resize import resize
from jaxsr.metrics.kernel_errors import kernel_error
from jaxsr.metrics.protocols import PROTOCOLS
from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.paths import output_file, user_path

# Means over the set's 100 photos: KernelGAN's table 1 (Bell-Kligler et al., NeurIPS 2019), PSNR in dB on Y
PAPER = {
    2: {"bicubic": 28.73, "estimated": 30.36, "true": 32.44},
    4: {"bicubic": 25.33, "estimated": 26.81, "true": 27.53},
}
METHODS = ("bicubic", "estimated", "true")
NOT_OURS = "no rows of this benchmark; give another --json"

_DATA = flags.DEFINE_string("data", None, "The folder of DIV2KRK.", required=True)
_JSON = flags.DEFINE_string("json", None, "File for the rows; kernels go to a folder beside it.", required=True)
_SCALES = flags.DEFINE_list("scales", list(map(str, PAPER)), "At which scales.")
_STEPS = flags.DEFINE_integer("steps", ZSSRSettings.steps, "ZSSR's training steps for each scale.", 1)
_CROP = flags.DEFINE_integer("crop", ZSSRSettings.crop, "Pixels a side of ZSSR's crops.", 1)
_MIDDLE = flags.DEFINE_integer("middle", 0, "Pixels a side of the part that is restored; 0 for whole photos.", 0)

Row = dict[str, float]
Rows = dict[str, Row]


def measure(data: Path, scale: int, name: str, kernels: Path, settings: ZSSRSettings, middle: int) -> Row:
    """Return the scores of the photo `name` at `scale`, its kernel's error, and seconds."""
    lr, hr = rgb_photo(data / f"lr_x{scale}" / name), rgb_photo(data / "gt" / name)
    true = read_truth(sorted((data / f"lr_x{scale}").glob("*.png")), str(data / f"gt_k_x{scale}"), scale)
    true_kernel = true[data / f"lr_x{scale}" / name]
    stem = kernels / f"{Path(name).stem}_x{scale}"
    row = _estimate(stem, lr, scale)
    row["kernel_error"] = kernel_error(read_kernel(with_suffix(stem, ".npz")), true_kernel)
    if middle:
        lr, hr = _middle(lr, middle, 1), _middle(hr, middle, scale)
    sources: dict[str, Callable[[], Kernels]] = {
        "estimated": lambda: read_kernels(str(with_suffix(stem, ".npz")), scale),
        "true": lambda: true_kernel,
    }
    score = PROTOCOLS["y"].score
    row |= _named("bicubic", score(resize(lr, scale), hr, scale=scale, luma_only=False))
    for method, kernel in sources.items():
        start = time.perf_counter()
        (restored,) = restore_zssr([lr], scale=scale, kernels=[kernel()], settings=settings)
        row[f"{method}_seconds"] = time.perf_counter() - start
        row |= _named(method, score(restored, hr, scale=scale, luma_only=False))
    return row


def _middle(image: np.ndarray, size: int, scale: int) -> np.ndarray:
    """Return the middle of `image`, `scale` times `size` pixels a side, at the same place at every scale."""
    starts = [(side // scale - size) // 2 * scale for side in image.shape[:2]]
    top, left = (max(start, 0) for start in starts)
    return image[top : top + scale * size, left : left + scale * size]


def _named(method: str, scores: dict[str, float]) -> Row:
    return {f"{method}_{name}": value for name, value in scores.items()}


def _estimate(stem: Path, lr: np.ndarray, scale: int) -> Row:
    """Write the kernel of `lr` to `stem` with suffixes unless it is there; return the seconds that took."""
    if with_suffix(stem, ".npz").exists():
        return {}
    start = time.perf_counter()
    (runs,) = estimate_kernels([lr], KernelGANOptions(scale=scale))
    write_estimate(stem, runs, scale)
    return {"kernel_seconds": time.perf_counter() - start}


def print_table(scale: int, rows: Rows) -> None:
    """Print the rows of `scale`, their means, and the paper's means of the whole set."""
    print(f"\n| x{scale} | kernel error | bicubic | estimated | true | seconds |\n|---|---|---|---|---|---|")
    for name, row in rows.items():
        scores = " | ".join(f"{row[f'{method}_psnr']:.2f} / {row[f'{method}_ssim']:.4f}" for method in METHODS)
        # A kernel that an earlier row had estimated took this one none
        seconds = row.get("kernel_seconds", 0.0) + row["estimated_seconds"]
        print(f"| {name} | {row['kernel_error']:.3f} | {scores} | {seconds:.0f} |")
    means = [np.mean([row[f"{method}_psnr"] for row in rows.values()]) for method in METHODS]
    print(f"| mean | | {' | '.join(f'{mean:.2f}' for mean in means)} | |")
    print(f"| paper, 100 photos | | {' | '.join(f'{PAPER[scale][method]:.2f}' for method in METHODS)} | |")


def photos_of(data: Path, scale: int) -> list[str]:
    """Return the names of the LR photos at `scale`; raises UserError unless each has its sharp one and its kernel."""
    photos = sorted((data / f"lr_x{scale}").glob("*.png"))
    if not photos:
        raise UserError(f"--data={data}: no PNG files in lr_x{scale}; name the folder with gt, lr_x2 and gt_k_x2")
    for photo in photos:
        if not (data / "gt" / photo.name).is_file():
            raise UserError(f"--data={data}: gt has no {photo.name}, which lr_x{scale} has")
    read_truth(photos, str(data / f"gt_k_x{scale}"), scale)
    return [photo.name for photo in photos]


def main(arguments: Sequence[str]) -> None:
    """Measure what is not in the JSON file yet, and print the tables."""
    check_no_more(arguments)
    check_names("scale", _SCALES.value, map(str, PAPER))
    data, file = user_path(_DATA.value), output_file(_JSON.value, "--json")
    settings = ZSSRSettings(steps=_STEPS.value, crop=_CROP.value)
    names = {scale: photos_of(data, scale) for scale in map(int, _SCALES.value)}
    found = read_rows(file, lambda setting: setting.startswith("x"), NOT_OURS)
    for scale, photos in names.items():
        setting = f"x{scale}, {settings.steps} steps, crop {settings.crop}, middle {_MIDDLE.value}"
        rows = found.setdefault(setting, {})
        for name in photos:
            if name not in rows:
                kernels = file.with_name(f"{file.stem}_kernels")
                rows[name] = measure(data, scale, name, kernels, settings, _MIDDLE.value)
                with written_whole(file) as path:
                    path.write_text(json.dumps(found, indent=2), encoding="utf-8")
        print_table(scale, rows)


if __name__ == "__main__":
    command_line.run(main)
