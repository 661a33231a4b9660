"""Checkpoints that hold everything: the state's arrays, and beside them the data position and the config."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from jaxsr.support.errors import UserError

KEEP = 2  # the newest ones; max_to_keep together with best_fn would delete the newest


class Checkpoints:
    """The checkpoints/ folder of a run. Saving goes on in the background; `close` waits for it."""

    def __init__(self, folder: Path):
        """Open or create `folder`."""
        policy = checkpoint_managers.LatestN(KEEP)
        self._manager = ocp.CheckpointManager(
            folder.absolute(),
            item_names=("state", "meta"),
            options=ocp.CheckpointManagerOptions(preservation_policy=policy),
        )

    @property
    def latest(self) -> int | None:
        """The step of the newest whole checkpoint, None without one."""
        return self._manager.latest_step()

    def save(self, step: int, state: Any, meta: dict[str, Any]) -> None:
        """Save `state` (arrays) and `meta` (JSON) as of `step`; a step that is there already is left alone."""
        if step == self.latest:
            return
        state = jax.tree.map(np.asarray, state)  # a pmapped state of several processes is not serialisable as it is
        arguments = ocp.args.Composite(state=ocp.args.StandardSave(state), meta=ocp.args.JsonSave(meta))
        self._manager.save(step, args=arguments, force=True)

    def restore(self, template: Any) -> tuple[Any, dict[str, Any]]:
        """Return the newest state, shaped like `template`, as host arrays, and its meta.

        Raises UserError when the checkpoint's arrays are not those of `template`.
        """
        abstract = jax.tree.map(np.asarray, template)
        arguments = ocp.args.Composite(state=ocp.args.StandardRestore(abstract), meta=ocp.args.JsonRestore())
        try:
            restored = self._manager.restore(self.latest, args=arguments)
        except (ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"checkpoint {self.latest} in {self._manager.directory} does not fit this config ({reason}); "
                f"choose another --workdir or the config that began it"
            ) from None
        return restored["state"], restored["meta"]

    def close(self) -> None:
        """Wait until everything is on disk."""
        self._manager.wait_until_finished()
        self._manager.close()
