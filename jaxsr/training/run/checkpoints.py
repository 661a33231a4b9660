"""Checkpoints: the arrays of the training state and what goes with them, verified when they are read.

A checkpoint holds {path: array} of the state, and JSON with a checksum of both. One that is damaged (a file emptied,
cut or with a flipped bit) is set aside, and the newest whole one is taken.
"""

import errno
import json
import shutil
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import orbax.checkpoint as ocp

from jaxsr.devices import processes
from jaxsr.support.errors import UserError, short_reason
from jaxsr.support.files import says_full
from jaxsr.support.types import Json
from jaxsr.training.run.orbax_manager import NewestAndBest, open_manager

FOLDER = "checkpoints"  # of the run's folder
SET_ASIDE = "set_aside"  # the folder beside it, of checkpoints that are not resumed from
GRACE = 0.2  # seconds in which readers and writers end after an error

Arrays = dict[str, np.ndarray]  # those of a state, by path


def has_checkpoints(workdir: Path) -> bool:
    """Return whether the run in `workdir` has saved a checkpoint, as the first process sees it."""
    return processes.from_first(lambda: any((workdir / FOLDER).glob("[0-9]*")))


class Checkpoints:
    """The checkpoints/ folder of a run. Saving happens in the background; `close` waits for it.

    All processes call the same methods; the first one reads and writes for all.
    """

    def __init__(self, workdir: Path):
        """Open or create the folder in `workdir`."""
        self._folder = workdir.absolute() / FOLDER
        self._kept = NewestAndBest()
        self._manager = open_manager(self._folder, self._kept) if processes.is_first() else None
        self._latest = processes.from_first(lambda: self._manager and self._manager.latest_step())

    @property
    def latest(self) -> int | None:
        """The step of the newest complete checkpoint, None without one."""
        return self._latest

    def save(self, step: int, arrays: Arrays, meta: dict[str, Json], *, best: int | None = None) -> None:
        """Save `arrays` and `meta` (JSON) as of `step`; a step that is saved already is left alone.

        Kept are the newest ones and that of the step `best`. Raises OSError when the disk is full.
        """
        self._kept.best = best
        if step == self._latest:
            return
        self._latest = step
        if self._manager is None:
            return
        content = {"content": meta, "checksum": checksum(arrays, meta)}
        arguments = ocp.args.Composite(state=ocp.args.StandardSave(arrays), meta=ocp.args.JsonSave(content))
        self._writing(lambda manager: manager.save(step, args=arguments, force=True))

    def restore(self) -> tuple[Arrays, dict[str, Json]] | None:
        """Return the arrays and the meta of the newest whole checkpoint, on the first process; None without one.

        The other processes get the meta, and no arrays. Damaged checkpoints are named and moved to the folder
        `set_aside` of the run.
        """
        found: Arrays = {}

        def read() -> tuple[int | None, Json]:
            step, arrays, meta = self._newest_whole()
            found.update(arrays)
            return step, meta

        self._latest, meta = processes.from_first(read)
        return None if self._latest is None else (found, meta)

    def _newest_whole(self) -> tuple[int | None, Arrays, Json]:
        """Return step, arrays and meta of the newest whole checkpoint; set aside those that are not."""
        assert self._manager is not None
        for step in sorted(self._manager.all_steps(), reverse=True):
            try:
                arrays, meta = self._read(step)
            except (MemoryError, PermissionError, UserError):
                raise
            except Exception as error:  # whatever damaged files make Orbax and its parsers raise
                time.sleep(GRACE)
                place = self._set_aside(step)
                print(f"checkpoint {step} is damaged ({short_reason(error)}); moved to {place}", flush=True)
                continue
            return step, arrays, meta
        return None, {}, None

    def _read(self, step: int) -> tuple[Arrays, dict[str, Json]]:
        """Return the arrays and the meta of `step` from disk; raises an error for damaged ones."""
        assert self._manager is not None
        arguments = ocp.args.Composite(state=ocp.args.StandardRestore(), meta=ocp.args.JsonRestore())
        restored = self._manager.restore(step, args=arguments)
        arrays = {path: np.asarray(array) for path, array in restored["state"].items()}
        meta = restored["meta"]
        if "position" in meta:  # now inside "content"
            raise UserError(
                f"checkpoint {step} in {self._folder} is of an older version, without a checksum; finish the run with "
                f"that version or choose another --workdir"
            )
        if checksum(arrays, meta["content"]) != meta["checksum"]:
            raise ValueError("it differs from its checksum")
        return arrays, meta["content"]

    def set_aside_after(self, step: int | None) -> None:
        """Move the checkpoints after `step`, or all, to the folder `set_aside`: a run resumes before them."""
        if self._manager is not None:
            self._writing(lambda manager: manager.wait_until_finished())
            for later in [each for each in self._manager.all_steps() if step is None or each > step]:
                self._set_aside(later)
        self._latest = processes.from_first(lambda: self._manager and self._manager.latest_step())

    def _set_aside(self, step: int) -> Path:
        """Move the checkpoint of `step` out of the way; return its new place."""
        assert self._manager is not None
        target = self._folder.parent / SET_ASIDE / str(step)
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(exist_ok=True)
        shutil.move(self._folder / str(step), target)
        self._manager.reload()
        return target

    def _writing(self, write: Callable[[ocp.CheckpointManager], object]) -> None:
        """Run `write(manager)`; a full disk, which Orbax reports in several ways, raises OSError."""
        assert self._manager is not None
        try:
            write(self._manager)
        except Exception as error:
            if not says_full(error):
                raise
            self._latest = None
            time.sleep(GRACE)
            raise OSError(errno.ENOSPC, "no space left for a checkpoint", str(self._folder)) from None

    def close(self) -> None:
        """Wait until everything is on disk. Raises OSError when it is full."""
        if self._manager is not None:
            try:
                self._writing(lambda manager: manager.wait_until_finished())
            finally:
                self._manager.close()


def checksum(arrays: Mapping[str, np.ndarray], meta: Json) -> int:
    """Return the CRC-32 of arrays with their paths, types and shapes, and of `meta` as JSON."""
    value = zlib.crc32(json.dumps(meta, sort_keys=True).encode())
    for path in sorted(arrays):
        array = np.ascontiguousarray(arrays[path])
        value = zlib.crc32(f"{path} {array.dtype.str} {arrays[path].shape}".encode(), value)
        value = zlib.crc32(array.reshape(-1).view(np.uint8).data, value)
    return value
