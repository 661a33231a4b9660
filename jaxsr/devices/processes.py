"""Several processes, on one host or on many, as one run: the only file that knows `jax.distributed`.

Each process has its own devices and its own part of every batch. Only the first one writes the log, the checkpoints
and the weights; it sends the others what it read from disk, and its errors.
"""

import functools
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import jax
import numpy as np

from jaxsr.devices.coordinator import check_address, check_free, meet
from jaxsr.support.errors import UserError, short_reason
from jaxsr.support.types import Json

T = TypeVar("T")  # a tree that comes back in the same structure
DETECTED = "auto"  # JAX itself finds the coordinator: from the variables of Slurm or Open MPI, or on a TPU
# Variables in which a launcher says how many processes there are and which one this is
COUNTS = ("JAXSR_PROCESSES", "SLURM_NTASKS")
INDICES = ("JAXSR_PROCESS", "SLURM_PROCID")
MIN_MESSAGE_BYTES = 1 << 12  # lengths are rounded up to powers of two, so that messages share compiled programs


class Membership(NamedTuple):
    """The number of this process, `index` of `count`, and the address of the first one, `coordinator` (host:port)."""

    coordinator: str
    count: int
    index: int


def membership(
    coordinator: str | None, count: int | None, index: int | None, environment: Mapping[str, str] = os.environ
) -> Membership | None:
    """Return this process's place among several, or None where no coordinator is named and it is the only one.

    Arguments that are None are read from `environment`: JAXSR_COORDINATOR, JAXSR_PROCESSES and JAXSR_PROCESS, or else
    Slurm's SLURM_NTASKS and SLURM_PROCID. Raises UserError for a value that is missing or out of bounds.
    """
    coordinator = coordinator or environment.get("JAXSR_COORDINATOR")
    if not coordinator:
        if count is not None or index is not None:
            raise UserError("several processes need the address of the first; set --coordinator=HOST:PORT")
        return None
    if coordinator == DETECTED:
        return Membership(coordinator, 0, 0)
    count = _number("processes", count, COUNTS, environment)
    index = _number("process", index, INDICES, environment)
    check_address(coordinator)
    if not 0 <= index < count:
        raise UserError(f"process={index} must lie in [0, processes={count}); set --process and --processes")
    return Membership(coordinator, count, index)


def _number(flag: str, value: int | None, names: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """Return `value`, or if that is None the first of the variables `names` that is set."""
    if value is not None:
        return value
    text = next((environment[name] for name in names if environment.get(name)), None)
    if text is None or not text.isdecimal():
        raise UserError(f"--coordinator needs --{flag}, a number; got {flag}={text}; set --{flag} or {names[0]}")
    return int(text)


def join(place: Membership | None) -> None:
    """Wait for all processes and join them; does nothing for `place` None. Call it before JAX uses a device.

    Signals are heeded while it waits. Afterwards only the first process prints on standard output. Raises UserError
    where the others do not come, where JAX is to find them itself and does not, and for a first process whose port is
    taken.
    """
    if place is None:
        return
    if place.coordinator == DETECTED:
        _join_detected()
    else:
        if place.index == 0:
            check_free(place.coordinator)
        meet(functools.partial(jax.distributed.initialize, *place), place.coordinator)
    if not is_first():
        sys.stdout.flush()
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)  # the descriptor, because libraries write there past Python


def _join_detected() -> None:
    try:
        meet(jax.distributed.initialize, DETECTED)
    except ValueError as error:
        raise UserError(
            f"--coordinator={DETECTED}: JAX finds no other processes ({short_reason(error).rstrip('.')}); set "
            "--coordinator=HOST:PORT, --processes and --process"
        ) from None


def host_of_first(place: Membership) -> str:
    """Return the name of the first process's host. All processes must call it."""
    if place.coordinator == DETECTED:
        return from_first(socket.getfqdn)
    return place.coordinator.rpartition(":")[0].strip("[]")


def count() -> int:
    """Return how many processes there are."""
    return jax.process_count()


def index() -> int:
    """Return the number of this process, from 0."""
    return jax.process_index()


def is_first() -> bool:
    """Return whether this is the first process, which alone writes files."""
    return jax.process_index() == 0


def gathered(value: Json) -> list[Json]:
    """Return the `value` (JSON) of each process, in their order. All processes must call it."""
    if count() == 1:
        return [value]
    from jax.experimental import multihost_utils

    message = np.frombuffer(json.dumps(value).encode(), np.uint8)
    longest = int(multihost_utils.process_allgather(np.int32(len(message))).max())
    length = max(MIN_MESSAGE_BYTES, 1 << (longest - 1).bit_length())
    padded = np.full(length, ord(" "), np.uint8)  # JSON ignores spaces at the end
    padded[: len(message)] = message
    return [json.loads(bytes(each)) for each in multihost_utils.process_allgather(padded)]


def from_first(make: Callable[[], Json]) -> Json:
    """Return on every process the result (JSON) of `make()`, which runs on the first one only. All must call it.

    A UserError that `make` raises there is raised on every process.
    """
    if count() == 1:
        return make()
    value, message = None, None
    if is_first():
        try:
            value = make()
        except UserError as error:
            message = str(error)
    value, message = gathered([value, message])[0]
    if message is not None:
        raise UserError(message)
    return value


def tree_of_first(tree: T) -> T:
    """Return the first process's `tree`; those of all have the same shapes. All processes must call it."""
    if count() == 1:
        return tree
    from jax.experimental import multihost_utils

    return jax.tree.map(np.asarray, multihost_utils.broadcast_one_to_all(tree))


class AgreedStep:
    """A step after which all processes stop, because one of them got SIGTERM.

    JAX's own handler takes the signal and tells the coordinator; the processes then agree on the first poll that none
    of them has made yet.
    """

    def __init__(self):
        """Start counting polls, which all processes make after the same steps."""
        self._polls = 0

    def reached(self) -> bool:
        """Return whether this is that step. All processes must call it after the same steps."""
        from jax.experimental import multihost_utils

        self._polls += 1
        return multihost_utils.reached_preemption_sync_point(self._polls)
