"""Orbax's manager of a folder of checkpoints: which ones it keeps, and what it says."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import orbax.checkpoint as ocp
from absl.logging import get_absl_logger
from orbax.checkpoint import checkpoint_managers

from jaxsr.devices import processes

KEEP = 2  # the newest ones, beside the best


class NewestAndBest(checkpoint_managers.PreservationPolicy):
    """Orbax's policy that keeps the KEEP newest checkpoints and that of the step `best`."""

    best: int | None = None

    def should_preserve(self, checkpoints: Sequence, *, context: object) -> list[bool]:
        """Return for each of `checkpoints`, in the order of their steps, whether it is kept."""
        newest = {info.step for info in checkpoints[-KEEP:]}
        return [info.step in newest or info.step == self.best for info in checkpoints]


def _ignore_closed_loops() -> None:
    """Keep Orbax's readers and writers quiet that end after an error, and then complain to a closed event loop."""
    hook = sys.unraisablehook
    if getattr(hook, "ignores_closed_loops", False):
        return

    def ignore(event: "sys.UnraisableHookArgs") -> None:
        if not (isinstance(event.exc_value, RuntimeError) and "Event loop is closed" in str(event.exc_value)):
            hook(event)

    ignore.ignores_closed_loops = True  # type: ignore[attr-defined]
    sys.unraisablehook = ignore


def _is_not_of_orbax(record: logging.LogRecord) -> bool:
    """Return False for the lines of Orbax: what it prints as errors it raises too."""
    return "orbax" not in record.pathname


def open_manager(folder: Path, policy: NewestAndBest) -> ocp.CheckpointManager:
    """Return Orbax's manager of `folder`, which with several processes does not wait for the others."""
    alone = {}
    if processes.count() > 1:
        folder.mkdir(parents=True, exist_ok=True)
        own = ocp.options.MultiprocessingOptions(active_processes={0}, barrier_sync_key_prefix="first")
        alone = {"multiprocessing_options": own, "create": False}
    get_absl_logger().addFilter(_is_not_of_orbax)
    _ignore_closed_loops()
    options = ocp.CheckpointManagerOptions(preservation_policy=policy, cleanup_tmp_directories=True, **alone)
    return ocp.CheckpointManager(folder, item_names=("state", "meta"), options=options)
