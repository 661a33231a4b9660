"""Train by a config: what `python -m jaxsr.train` and `jaxsr.train` do."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from jaxsr.support.compile_cache import use_compile_cache
from jaxsr.support.errors import UserError, brief
from jaxsr.support.messages import complain
from jaxsr.support.paths import make_folder, output_folder
from jaxsr.training.catalog.config_files import load_config

if TYPE_CHECKING:
    from jaxsr.blind.kernelgan.kernel_files_run import KernelFiles
    from jaxsr.training.config import Config


def train(config: "Config | str | Path", workdir: str | Path, *, restart_data: bool = False) -> int:
    """Return the last step of training as `config` says inside `workdir`.

    A run that was stopped continues from its newest whole checkpoint; one that was finished is left alone.

    Example:
        config = jaxsr.default_config()
        config.model.name, config.steps = "espcn", 500
        jaxsr.train(config, "runs/espcn")
        jaxsr.train("espcn:x3", "runs/espcn-x3")
        model = jaxsr.load("runs/espcn-x3")

    Args:
        config: a ConfigDict of `default_config` or of a file's get_config, or the name of a packaged config or of a
            file, with its variant, such as "espcn:x3" or "own.py:big"; `python -m jaxsr.train --list` shows the
            packaged ones. `config.task` says what is learned: "sr", "blind", "deblur" or "reference".
        workdir: the run's folder, made when missing. It gets config.json, metrics.jsonl, TensorBoard events,
            checkpoints/, samples/ and the weights: model.safetensors, and best.safetensors of the best score.
        restart_data: begin the data anew where the run goes on, as it must with another kind of data.

    Returns:
        The number of updates made in all: `config.steps`, or fewer when SIGTERM or Ctrl-C ended the run, after a
        checkpoint. For a config of KernelGAN, which trains on each photo by itself: the number of photos that have a
        kernel.

    Raises:
        UserError: for a config that cannot run, before anything is written, and while another run uses `workdir`.
        TrainingFailed: when training diverged: a loss that is not finite (NonFiniteLoss), an output far from any photo
            (Runaway), or scores or photos that have collapsed (Collapse). The checkpoints that stay are older.
        OSError: when the disk is full; the last whole checkpoint stays.
    """
    config = _loaded(config)
    workdir = output_folder(workdir, "workdir")
    if trains_on_each_photo(config):
        return len(estimate_kernels(config, workdir).kernels)
    use_compile_cache()
    from jaxsr.training.loop import train as train_network

    return train_network(config, workdir, restart_data=restart_data).step


def _loaded(config: "Config | str | Path") -> "Config":
    if isinstance(config, str | Path):
        return load_config(config)
    if not isinstance(config, ConfigDict) or not isinstance(config.get("model"), ConfigDict):
        shown = "a ConfigDict without model" if isinstance(config, ConfigDict) else brief(config)
        raise UserError(f"config={shown} is not a config; give jaxsr.default_config(), or a name such as 'espcn:x3'")
    return config


def trains_on_each_photo(config: "Config") -> bool:
    """Return whether `config` is one of KernelGAN, which has no weights that stay."""
    return config.model.name == "kernelgan"


def estimate_kernels(config: "Config", workdir: str | Path) -> "KernelFiles":
    """Return what `estimate_kernel` makes of the photos in `config.data.train`, in `workdir`/kernels.

    Photos that have a kernel there are skipped; the losses go to metrics.jsonl. A photo that fails gets a line on
    standard error. Raises UserError for a config that cannot run.
    """
    from jaxsr.blind.kernelgan.kernel_files_run import estimate_kernels_of_files
    from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
    from jaxsr.data.listing import find_photos
    from jaxsr.support.progress import progress_bar
    from jaxsr.training.feeds.open_photos import names_listed
    from jaxsr.training.run.changes import changed_fields, check_changes
    from jaxsr.training.run.run_folder import config_fields, locked, read_config, write_config

    if not (names := names_listed(config.data.train)):
        raise UserError("data.train is empty; name photos or a folder: --config.data.train=FOLDER")
    fields = {field.name for field in dataclasses.fields(KernelGANOptions)} - {"scale"}
    options = KernelGANOptions(scale=config.model.scale, **{name: config[name] for name in fields})
    photos = find_photos(names).photos
    workdir = Path(workdir)
    make_folder(workdir)
    output, log = workdir / "kernels", workdir / "metrics.jsonl"
    with locked(workdir), progress_bar([workdir], "step") as progress:
        before = read_config(workdir)
        check_changes(str(workdir), changed_fields(before, config_fields(config)) if before else {})
        write_config(workdir, config)
        result = estimate_kernels_of_files(photos, output, options, log_file=log, progress=progress)
    for failure in result.failures.values():
        complain(failure)
    return result
