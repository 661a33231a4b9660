"""Checkpoints: the arrays of the training state, the position in the data, and the config."""

from pathlib import Path
from typing import TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from jaxsr.devices import processes
from jaxsr.support.errors import UserError
from jaxsr.support.types import Json, Tree

State = TypeVar("State")

KEEP = 2  # the newest ones; max_to_keep together with best_fn would delete the newest


class Checkpoints:
    """The checkpoints/ folder of a run. Saving happens in the background; `close` waits for it.

    All processes call the same methods; the first one reads and writes for all.
    """

    def __init__(self, folder: Path):
        """Open or create `folder`."""
        self._manager = _open(folder.absolute()) if processes.is_first() else None
        self._latest = processes.from_first(lambda: self._manager and self._manager.latest_step())

    @property
    def latest(self) -> int | None:
        """The step of the newest complete checkpoint, None without one."""
        return self._latest

    def save(self, step: int, state: Tree, meta: dict[str, Json]) -> None:
        """Save `state` (arrays) and `meta` (JSON) as of `step`; a step that is saved already is left alone."""
        if step == self._latest:
            return
        self._latest = step
        if self._manager is None:
            return
        state = jax.tree.map(np.asarray, state)  # Orbax cannot save the state of several processes as it is
        arguments = ocp.args.Composite(state=ocp.args.StandardSave(state), meta=ocp.args.JsonSave(meta))
        self._manager.save(step, args=arguments, force=True)

    def restore(self, template: State) -> tuple[State, dict[str, Json]]:
        """Return the newest state, shaped like `template`, as host arrays, and its meta.

        Raises UserError when the checkpoint's arrays are not those of `template`.
        """
        state = jax.tree.map(np.asarray, template)

        def read() -> dict[str, Json]:
            nonlocal state
            state, meta = self._read(state)
            return meta

        meta = processes.from_first(read)
        return processes.tree_of_first(state), meta

    def _read(self, abstract: State) -> tuple[State, dict[str, Json]]:
        """Return the newest state, shaped like `abstract`, and its meta, from disk."""
        assert self._manager is not None
        arguments = ocp.args.Composite(state=ocp.args.StandardRestore(abstract), meta=ocp.args.JsonRestore())
        try:
            restored = self._manager.restore(self._latest, args=arguments)
        except (ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"checkpoint {self._latest} in {self._manager.directory} does not fit this config ({reason}); "
                f"choose another --workdir or the config that it began with"
            ) from None
        return restored["state"], restored["meta"]

    def close(self) -> None:
        """Wait until everything is on disk."""
        if self._manager is not None:
            self._manager.wait_until_finished()
            self._manager.close()


def _open(folder: Path) -> ocp.CheckpointManager:
    """Return Orbax's manager of `folder`, which with several processes does not wait for the others."""
    policy = checkpoint_managers.LatestN(KEEP)
    alone = {}
    if processes.count() > 1:
        folder.mkdir(parents=True, exist_ok=True)
        own = ocp.options.MultiprocessingOptions(active_processes={0}, barrier_sync_key_prefix="first")
        alone = {"multiprocessing_options": own, "create": False}
    options = ocp.CheckpointManagerOptions(preservation_policy=policy, cleanup_tmp_directories=True, **alone)
    return ocp.CheckpointManager(folder, item_names=("state", "meta"), options=options)
