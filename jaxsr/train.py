"""Train a network: `python -m jaxsr.train --config=configs/espcn.py:x3 --workdir=runs/espcn`.

Any field is overridden as `--config.batch_size=32`. The same workdir resumes. Exit status 0: trained to the end;
1: the loss became non-finite, the generator collapsed, or KernelGAN's photos failed in part; 2: wrong usage; 143:
SIGTERM, after a checkpoint.
"""

import sys
from collections.abc import Sequence

from absl import flags
from ml_collections import config_flags

from jaxsr.support import app
from jaxsr.training.config import Config

_CONFIG = config_flags.DEFINE_config_file("config", None, "A file of configs/, with its variant.", lock_config=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "The run's folder.", required=True)

TERMINATED = 143  # 128 + SIGTERM, as shells report it; schedulers requeue on it


def main(arguments: Sequence[str]) -> int:
    """Train and return the exit status."""
    from jaxsr.training.loop import train  # after the flags: a typo is answered at once
    from jaxsr.training.run_log import TrainingFailed

    if arguments:
        raise app.UserError(f"unexpected argument {arguments[0]!r}; everything is a flag: --config=... --workdir=...")
    config = _loaded_config()
    if config.model.name == "kernelgan":
        from jaxsr.blind.training import train_kernels

        failed = train_kernels(config, _WORKDIR.value)
        print(f"kernels in {_WORKDIR.value}/kernels", flush=True)
        return app.SOME_FAILED if failed else app.DONE
    try:
        step = train(config, _WORKDIR.value)
    except TrainingFailed as error:
        print(f"train: {error}", file=sys.stderr)
        return app.SOME_FAILED
    if step < config.steps:
        print(f"stopped at step {step} of {config.steps}; the same command goes on from there", flush=True)
        return TERMINATED
    print(f"trained to step {step}; weights: {_WORKDIR.value}/model.safetensors", flush=True)
    return app.DONE


def _loaded_config() -> Config:
    """Return the config; a file that could not be loaded is only told when its fields are read."""
    try:
        _CONFIG.value.keys()
    except OSError as error:
        reason = str(error).splitlines()[-1].strip()
        raise app.UserError(
            f"cannot load --config ({reason}); give a file of configs/, such as configs/espcn.py:x3"
        ) from None
    return _CONFIG.value


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main)
