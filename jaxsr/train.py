"""Train a network: `python -m jaxsr.train --config=configs/espcn.py:x3 --workdir=runs/espcn`.

Any field is overridden as `--config.batch_size=32`. The same workdir resumes. Exit status 0: trained to the end;
1: the loss became non-finite, the generator collapsed, or KernelGAN's photos failed in part; 2: wrong usage; 143:
SIGTERM, after a checkpoint. Several processes, on one host or many, train together with `--coordinator`; when one is
killed, the others end with 1.
"""

import sys
from collections.abc import Sequence

from absl import flags
from ml_collections import config_flags

from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.training.config import Config

_CONFIG = config_flags.DEFINE_config_file("config", None, "A file of configs/, with its variant.", lock_config=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "The run's folder.", required=True)
_COORDINATOR = flags.DEFINE_string(
    "coordinator",
    None,
    'Of several processes: host:port of the first, or "auto" where JAX finds it itself. Or JAXSR_COORDINATOR.',
)
_PROCESSES = flags.DEFINE_integer("processes", None, "How many there are. Or JAXSR_PROCESSES, SLURM_NTASKS.")
_PROCESS = flags.DEFINE_integer("process", None, "Which one this is, from 0. Or JAXSR_PROCESS, SLURM_PROCID.")

TERMINATED = 143  # 128 + SIGTERM, as shells report it; schedulers requeue on it


def main(arguments: Sequence[str]) -> int:
    """Train and return the exit status."""
    from jaxsr.devices import (
        processes,  # after the flags: a typo is answered at once
        watchdog,  # after the flags: a typo is answered at once
    )

    if arguments:
        raise UserError(f"unexpected argument {arguments[0]!r}; everything is a flag: --config=... --workdir=...")
    config = _loaded_config()
    place = processes.membership(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value)
    if place is not None and config.model.name == "kernelgan":
        raise UserError("kernelgan trains on each photo by itself; give each process photos of its own to do")
    processes.join(place)
    if place is None:
        return _trained(config)
    with watchdog.watched(processes.host_of_first(place)):
        return _trained(config)


def _trained(config: Config) -> int:
    """Train and return the exit status, in this process and those it has joined."""
    from jaxsr.devices import processes
    from jaxsr.training.loop import train
    from jaxsr.training.run.run_log import TrainingFailed

    if config.model.name == "kernelgan":
        from jaxsr.blind.kernelgan.config_run import train_kernels

        failed = train_kernels(config, _WORKDIR.value)
        print(f"kernels in {_WORKDIR.value}/kernels", flush=True)
        return command_line.SOME_FAILED if failed else command_line.DONE
    try:
        step = train(config, _WORKDIR.value)
    except TrainingFailed as error:
        if processes.is_first():  # all of several met it
            print(f"train: {error}", file=sys.stderr)
        return command_line.SOME_FAILED
    if step < config.steps:
        print(f"stopped at step {step} of {config.steps}; the same command goes on from there", flush=True)
        return TERMINATED
    print(f"trained to step {step}; weights: {_WORKDIR.value}/model.safetensors", flush=True)
    return command_line.DONE


def _loaded_config() -> Config:
    """Return the config; a file that could not be loaded is only told when its fields are read."""
    try:
        _CONFIG.value.keys()
    except OSError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(
            f"cannot load --config ({reason}); give a file of configs/, such as configs/espcn.py:x3"
        ) from None
    return _CONFIG.value


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    command_line.run(main)
