"""Notice that another process of a run is gone, and end this one at once.

Without it, the remaining processes wait in a collective operation for the missing one, until JAX misses its heartbeats
after a minute or two and aborts.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import NoReturn

from jaxsr.devices import processes

EXIT_STATUS = 1  # of the processes that remain
CONNECT_TIMEOUT = 30  # seconds; hosts that cannot reach each other rely on JAX's heartbeats
FINISHED = -1  # message of a process that is done; any other message is the number of a process that is gone
MESSAGE = struct.Struct("<i")
Links = dict[int, socket.socket]  # by the number of the process at the other end

_exiting = threading.Lock()


@contextlib.contextmanager
def watched(host: str) -> Iterator[None]:
    """End this process when another one is gone, or has failed, before the block ends. All processes must enter it.

    The first process, on `host`, is connected to every other one and tells the rest who is gone. A process that ends
    so prints one line on standard error and exits with EXIT_STATUS. A checkpoint that was being written is discarded;
    the one before it stays.
    """
    listener = socket.create_server(("", 0)) if processes.is_first() else None
    port = processes.from_first(lambda: listener and listener.getsockname()[1])
    links: Links = {}
    with contextlib.suppress(OSError):
        if listener is not None:
            _accept(listener, links)
        else:
            links[0] = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT)
            links[0].sendall(MESSAGE.pack(processes.index()))
    for other, link in links.items():
        link.settimeout(None)
        threading.Thread(target=_watch, args=(other, link, links), daemon=True).start()
    try:
        yield
    except BaseException:
        _send(links, processes.index())
        raise
    _send(links, FINISHED)


def _accept(listener: socket.socket, links: Links) -> None:
    """Wait for all other processes and add their connections to `links`."""
    listener.settimeout(CONNECT_TIMEOUT)
    while len(links) < processes.count() - 1:
        link, _ = listener.accept()
        link.settimeout(CONNECT_TIMEOUT)
        links[_receive(link)] = link


def _receive(link: socket.socket) -> int:
    """Return the next number from `link`; raises OSError when it is closed."""
    message = link.recv(MESSAGE.size, socket.MSG_WAITALL)
    if len(message) < MESSAGE.size:
        raise ConnectionError("closed")
    return MESSAGE.unpack(message)[0]


def _send(links: Links, number: int) -> None:
    """Send `number` over all links that are still open."""
    for link in links.values():
        with contextlib.suppress(OSError):
            link.sendall(MESSAGE.pack(number))


def _watch(other: int, link: socket.socket, links: Links) -> None:
    """Wait until the process `other` finishes; exit when it is gone, or reports one that is."""
    try:
        gone = _receive(link)
    except OSError:
        _exit(other, links)
    if gone == FINISHED:
        return
    if gone == other:
        time.sleep(1)  # it failed; if all fail for the same reason, let each report it
    _exit(gone, links)


def _exit(gone: int, links: Links) -> NoReturn:
    """End this process because the process `gone` no longer runs."""
    with _exiting:
        try:
            who = f"process {gone} of {processes.count()}"
            line = f"\ntrain: {who} is gone; run the same command to resume\n"
            os.write(2, line.encode())  # whole, and not past Python's buffers: the main thread may be printing a trace
            if processes.is_first():
                _send(links, gone)
                time.sleep(0.5)  # when the first process ends before the others, JAX aborts them with pages of traces
        finally:
            os._exit(EXIT_STATUS)
