"""Train a network: `python -m jaxsr.train --config=espcn:x3 --workdir=runs/espcn`.

--list shows the packaged configs with their papers, parameters, steps, memory and hours, --list=espcn one of them. Your
own file is named as own.py:big. Any field of the config is set as `--config.batch_size=32`; jaxsr/training/config.py
lists them. The same --workdir resumes a run.

Several processes, on one host or many, train together with --coordinator; when one of them is killed,
the others end with exit status 1.

Ctrl-C and SIGTERM end a run after a checkpoint; a second Ctrl-C ends it at once.

Exit status 0: trained to the end; 1: training diverged, the disk is full, or some of KernelGAN's photos failed; 2:
wrong usage; 130 and 143: stopped by Ctrl-C and SIGTERM.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.interruption import SHELL_OFFSET
from jaxsr.support.messages import complain
from jaxsr.support.paths import output_folder
from jaxsr.training.catalog.config_flag import define_config, define_list
from jaxsr.training.config import Config

_CONFIG = define_config()
_LIST = define_list()
_WORKDIR = flags.DEFINE_string("workdir", None, "The run's folder; made when missing.")
_COORDINATOR = flags.DEFINE_string(
    "coordinator",
    None,
    'With several processes: host:port of the first, or "auto" where JAX finds it itself. Or JAXSR_COORDINATOR.',
)
_PROCESSES = flags.DEFINE_integer("processes", None, "Number of processes. Or JAXSR_PROCESSES, SLURM_NTASKS.")
_PROCESS = flags.DEFINE_integer("process", None, "Number of this process, from 0. Or JAXSR_PROCESS, SLURM_PROCID.")

_RESTART_DATA = flags.DEFINE_bool(
    "restart_data", False, "Start the data of a resumed run from its beginning, as another kind of data needs."
)


def main(arguments: Sequence[str]) -> int:
    """Train and return the exit status."""
    # Imported after the flags are parsed, so that a typo is answered at once
    from jaxsr.api.training_runs import trains_on_each_photo
    from jaxsr.devices import processes, watchdog

    if arguments:
        raise UserError(f"unexpected argument {arguments[0]!r}; everything is a flag: --config=... --workdir=...")
    if _LIST.value is not None:
        return _list_configs(_LIST.value)
    config, workdir = _config_and_workdir()
    place = processes.membership(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value)
    if trains_on_each_photo(config):
        if place is not None:
            raise UserError("kernelgan trains on each photo by itself; give each process photos of its own to do")
        return _estimate_kernels(config, workdir)
    processes.join(place)
    if place is None:
        return _train(config, workdir)
    with watchdog.watched(processes.host_of_first(place)):
        return _train(config, workdir)


def _train(config: Config, workdir: Path) -> int:
    """Train in this process and those it has joined; return the exit status."""
    from jaxsr.devices import processes
    from jaxsr.training.loop import train
    from jaxsr.training.run.run_log import TrainingFailed
    from jaxsr.training.run.score_watch import MARGIN

    try:
        done = train(config, workdir, restart_data=_RESTART_DATA.value)
    except TrainingFailed as error:
        if processes.is_first():  # it is raised in all of them
            complain(f"train: {error}")
        return command_line.SOME_FAILED
    weights = workdir / "model.safetensors"
    if done.signal is not None:
        print(f"stopped at step {done.step} of {config.steps}; the same command resumes there; weights: {weights}")
        return SHELL_OFFSET + done.signal
    print(f"trained to step {done.step}; weights: {weights}", flush=True)
    if done.below > MARGIN and processes.is_first():
        complain(
            f"train: the weights score {done.below:.1f} dB below their input: too few steps, or too high a rate "
            f"(--config.optimizer.learning_rate)"
        )
    return command_line.DONE


def _estimate_kernels(config: Config, workdir: Path) -> int:
    """Do what the command `estimate_kernel` does, as `config` says; return the exit status."""
    from jaxsr.api.training_runs import estimate_kernels

    result = estimate_kernels(config, workdir)
    print(f"{len(result.kernels)} of {len(result.kernels) + len(result.failures)} kernels in {workdir}/kernels")
    return command_line.SOME_FAILED if result.failures else command_line.DONE


def _list_configs(name: str) -> int:
    """Print the table of the packaged configs, or of the one called `name`; return the exit status."""
    from jaxsr.training.catalog.config_list import config_table

    print("\n".join(config_table(name)), flush=True)
    return command_line.DONE


def _config_and_workdir() -> tuple[Config, Path]:
    """Return what to train and where; raises UserError where one of the two is missing."""
    if _CONFIG.value is None:
        raise UserError("--config is missing; name one, as in --config=espcn:x3 (--list shows all)")
    if not _WORKDIR.value:
        raise UserError("--workdir is missing; name the run's folder, as in --workdir=runs/espcn")
    return _CONFIG.value, output_folder(_WORKDIR.value, "--workdir")


if __name__ == "__main__":
    command_line.run(main)
