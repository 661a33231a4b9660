"""KernelGAN's runs on a set of photos, from a config: what `train --config=configs/kernelgan.py` does."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxsr.blind.kernelgan.estimation import Estimate, at_once, check_scale
from jaxsr.blind.kernelgan.kernel_reports import estimate_files
from jaxsr.blind.kernelgan.optimization import FIDELITIES
from jaxsr.data.listing import list_photos, output_paths
from jaxsr.support.errors import UserError, choose
from jaxsr.training.config import Config
from jaxsr.training.run.run_folder import claim_folder

LOSSES = ("generator", "bicubic", "discriminator")


def train_kernels(config: Config, workdir: str | Path) -> int:
    """Estimate the kernel of each photo of `config.data.train` that has none in `workdir`; return how many failed.

    Each gets kernels/NAME with .npz, .mat and .png, and every `log_every` steps a line in metrics.jsonl. Raises
    UserError for a config that cannot run, before anything is written.
    """
    workdir = Path(workdir)
    check_kernel_config(config)
    photos = list_photos([item for item in config.data.train.split(",") if item])
    outputs = [path.with_suffix("") for path in output_paths(photos, workdir / "kernels")]
    claim_folder(workdir, config)
    left = {photo: stem for photo, stem in zip(photos, outputs, strict=True) if not _with(stem, ".png").exists()}
    print(f"{len(left)} of {len(photos)} photos to do", flush=True)
    failures, count = [], max(at_once() // config.seeds, 1)
    for first in range(0, len(left), count):
        group = dict(list(left.items())[first : first + count])
        with tqdm(desc=", ".join(path.name for path in group), total=config.steps, disable=None) as bar:
            _, failed = estimate_files(
                group,
                scale=config.model.scale,
                seeds=range(config.seed, config.seed + config.seeds),
                fidelity=config.fidelity,
                steps=config.steps,
                pictures_every=0,
                tell=lambda step, bar=bar: bar.update(step - bar.n),
                keep=lambda path, estimates: log(workdir / "metrics.jsonl", path.name, estimates, config.log_every),
            )
        failures += failed
    for failure in failures:
        print(failure, file=sys.stderr)
    return len(failures)


def check_kernel_config(config: Config) -> None:
    """Raise UserError, naming the field, for a config that cannot run."""
    for name in ("steps", "seeds", "log_every"):
        if config[name] < 1:
            raise UserError(f"{name}={config[name]} must be at least 1; set --config.{name}")
    if not config.data.train:
        raise UserError("data.train is empty; name photos or a folder: --config.data.train=FOLDER")
    check_scale(config.model.scale)
    choose("fidelity", config.fidelity, FIDELITIES)


def log(path: Path, photo: str, estimates: Sequence[Estimate], every: int) -> None:
    """Append to the file `path` the mean losses of each `every` steps of a photo's runs."""
    with path.open("a") as file:
        for estimate in estimates:
            for last in range(every, len(estimate.losses) + 1, every):
                means = np.mean(estimate.losses[last - every : last], axis=0)
                losses = {f"{name}_loss": float(mean) for name, mean in zip(LOSSES, means, strict=True)}
                file.write(json.dumps({"photo": photo, "seed": estimate.seed, "step": last, **losses}) + "\n")


def _with(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)
