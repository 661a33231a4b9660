"""Several processes, on one host or on many, as one run: the only file that knows `jax.distributed`.

Each process has its own devices and its own part of every batch. The first one alone writes: the log, the checkpoints,
the weights. What it finds on disk, or refuses, it tells the others.
"""

import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np

from jaxsr.support.errors import UserError

Tree = TypeVar("Tree")
DETECTED = "auto"  # a coordinator that JAX itself finds, from Slurm's variables, Open MPI's, a TPU's
# Where a launcher says how many processes there are and which one this is, beside the flags
COUNTS = ("JAXSR_PROCESSES", "SLURM_NTASKS")
INDICES = ("JAXSR_PROCESS", "SLURM_PROCID")
LEAST_BYTES = 1 << 12  # of a message; messages of about one length share a compiled program


class Membership(NamedTuple):
    """Which of `count` processes this is, `index`, and the address of the first, `coordinator` (host:port)."""

    coordinator: str
    count: int
    index: int


def membership(
    coordinator: str | None, count: int | None, index: int | None, environment: Mapping[str, str] = os.environ
) -> Membership | None:
    """Return this process's place among several, None where no coordinator is named: it is then the only one.

    What is None is read from `environment`: JAXSR_COORDINATOR, JAXSR_PROCESSES, JAXSR_PROCESS, then Slurm's
    SLURM_NTASKS and SLURM_PROCID. Raises UserError where that leaves something open or out of bounds.
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
    if ":" not in coordinator:
        raise UserError(f"coordinator={coordinator!r} names no port; set --coordinator={coordinator}:12355")
    if not 0 <= index < count:
        raise UserError(f"process={index} must lie in [0, processes={count}); set --process and --processes")
    return Membership(coordinator, count, index)


def _number(flag: str, given: int | None, names: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """Return `given`, or else the first of the variables `names` that is set."""
    if given is not None:
        return given
    told = next((environment[name] for name in names if environment.get(name)), None)
    if told is None or not told.isdecimal():
        raise UserError(f"a coordinator without {flag}={told}; set --{flag} or {names[0]} to a number")
    return int(told)


def join(place: Membership | None) -> None:
    """Wait for all processes and become one of them, before anything runs on a device; None does nothing.

    From then on, only the first prints on standard output.
    """
    if place is None:
        return
    if place.coordinator == DETECTED:
        jax.distributed.initialize()
    else:
        jax.distributed.initialize(place.coordinator, place.count, place.index)
    if not is_first():
        sys.stdout.flush()
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)  # the descriptor, because libraries write there past Python


def host_of_first(place: Membership) -> str:
    """Return the name of the first one's host. All must call it."""
    if place.coordinator == DETECTED:
        return from_first(socket.getfqdn)
    return place.coordinator.rpartition(":")[0].strip("[]")


def count() -> int:
    """Return how many processes there are."""
    return jax.process_count()


def index() -> int:
    """Return this one's place among them."""
    return jax.process_index()


def is_first() -> bool:
    """Return whether this process is the one that writes."""
    return jax.process_index() == 0


def gathered(value: Any) -> list[Any]:
    """Return what each process gave as `value` (JSON), in their order. All must call it."""
    if count() == 1:
        return [value]
    from jax.experimental import multihost_utils

    told = np.frombuffer(json.dumps(value).encode(), np.uint8)
    longest = int(multihost_utils.process_allgather(np.int32(len(told))).max())
    room = max(LEAST_BYTES, 1 << (longest - 1).bit_length())
    padded = np.full(room, ord(" "), np.uint8)
    padded[: len(told)] = told
    return [json.loads(bytes(each)) for each in multihost_utils.process_allgather(padded)]


def from_first(make: Callable[[], Any]) -> Any:
    """Return what `make()` returns (JSON) on the first process, where alone it runs. All must call it.

    A UserError that it raises there is raised by all.
    """
    if count() == 1:
        return make()
    value, mistake = None, None
    if is_first():
        try:
            value = make()
        except UserError as error:
            mistake = str(error)
    value, mistake = gathered([value, mistake])[0]
    if mistake is not None:
        raise UserError(mistake)
    return value


def tree_of_first(tree: Tree) -> Tree:
    """Return the arrays that the first process gave, shaped like those of all. All must call it."""
    if count() == 1:
        return tree
    from jax.experimental import multihost_utils

    return jax.tree.map(np.asarray, multihost_utils.broadcast_one_to_all(tree))


class AgreedStop:
    """SIGTERM to any process as a wish of all to stop, at one step.

    JAX's own handler takes the signal, tells the coordinator, and all agree on the first look that none has taken yet.
    """

    def __init__(self):
        """Begin to count the looks, which all processes take after the same steps."""
        self._looks = 0

    def is_set(self) -> bool:
        """Return whether to stop now."""
        from jax.experimental import multihost_utils

        self._looks += 1
        return multihost_utils.reached_preemption_sync_point(self._looks)
