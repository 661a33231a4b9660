"""The address where several processes meet: what is wrong with one is said in a line, before JAX aborts over it."""

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

from jaxsr.support.errors import UserError

MAX_PORT = 65535
EXAMPLE = 12355  # a port that is usually free
PATIENCE = 300  # seconds for all processes to come
LONGER = 2 * PATIENCE  # for JAX, which aborts the process where they do not


def check_address(coordinator: str) -> None:
    """Raise UserError unless `coordinator` is a host and a port."""
    host, colon, port = coordinator.rpartition(":")
    if not colon:
        raise UserError(f"coordinator={coordinator!r} names no port; set --coordinator={coordinator}:{EXAMPLE}")
    if not (host and port.isdecimal() and 0 < int(port) <= MAX_PORT):
        raise UserError(
            f"coordinator={coordinator!r} is not a host and a port from 1 to {MAX_PORT}; write for example "
            f"--coordinator={host or 'HOST'}:{EXAMPLE}"
        )


def check_free(coordinator: str) -> None:
    """Raise UserError where this process, the first, cannot listen at the port of `coordinator`: JAX would crash."""
    try:
        with socket.socket() as probe:  # bound alone: one that listened would answer the other processes, and be gone
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port is free whose last connections linger
            probe.bind(("", int(coordinator.rpartition(":")[2])))
    except OSError as error:
        raise UserError(
            f"the first process cannot listen at --coordinator={coordinator} ({os.strerror(error.errno or 0)}); choose "
            "another port for all processes"
        ) from None


def meet(join: Callable[..., None], coordinator: str) -> None:
    """Call `join`, JAX's function that waits for the other processes, in a thread, and raise what it raises.

    Python handles no signal while the main thread waits in JAX. Raises UserError where they have not come to
    `coordinator` after PATIENCE seconds.
    """
    ended = Future[None]()

    def run() -> None:
        try:
            ended.set_result(join(initialization_timeout=LONGER))
        except BaseException as error:
            ended.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    if not wait([ended], timeout=PATIENCE).done:
        raise UserError(
            f"not all processes came to --coordinator={coordinator} in {PATIENCE} seconds; start each, with its own "
            "--process, where it reaches that address"
        )
    ended.result()
