"""Whether the other processes of a run are still there: when one is killed, the others end at once.

Without it they wait for the dead one's part of a sum, until JAX misses its heartbeats after a minute or two and aborts.
"""

import contextlib
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from typing import NoReturn

from jaxsr.devices import processes

LOST = 1  # the exit status of those that are left
PATIENCE = 30  # seconds for the connections; where hosts cannot reach each other so, JAX's heartbeats are left
GOODBYE = -1  # said by a process that is done, instead of the number of one that is gone
MESSAGE = struct.Struct("<i")
Links = dict[int, socket.socket]  # by the process at the other end

_ending = threading.Lock()


@contextlib.contextmanager
def watched(host: str) -> Iterator[None]:
    """End this process where another one is gone, or has failed, before the block ends.

    All must enter it. The first one, on `host`, has a connection to each other one, and tells the rest who is gone.
    Such an end is one line on standard error and the exit status LOST; a checkpoint that was being written is not
    there, the one before it is.
    """
    listener = socket.create_server(("", 0)) if processes.is_first() else None
    port = processes.from_first(lambda: listener and listener.getsockname()[1])
    links: Links = {}
    with contextlib.suppress(OSError):
        if listener is not None:
            _accept(listener, links)
        else:
            links[0] = socket.create_connection((host, port), timeout=PATIENCE)
            links[0].sendall(MESSAGE.pack(processes.index()))
    for other, link in links.items():
        link.settimeout(None)
        threading.Thread(target=_listen, args=(other, link, links), daemon=True).start()
    try:
        yield
    except BaseException:
        _tell(links, processes.index())
        raise
    _tell(links, GOODBYE)


def _accept(listener: socket.socket, links: Links) -> None:
    """Wait for all other processes and put their connections into `links`."""
    listener.settimeout(PATIENCE)
    while len(links) < processes.count() - 1:
        link, _ = listener.accept()
        link.settimeout(PATIENCE)
        links[_heard(link)] = link


def _heard(link: socket.socket) -> int:
    """Return the next number from `link`; raises OSError where it ends."""
    message = link.recv(MESSAGE.size, socket.MSG_WAITALL)
    if len(message) < MESSAGE.size:
        raise ConnectionError("closed")
    return MESSAGE.unpack(message)[0]


def _tell(links: Links, number: int) -> None:
    for link in links.values():
        with contextlib.suppress(OSError):
            link.sendall(MESSAGE.pack(number))


def _listen(other: int, link: socket.socket, links: Links) -> None:
    """Wait until the process `other` says goodbye, or is gone, or tells of one that is."""
    try:
        gone = _heard(link)
    except OSError:
        _end(other, links)
    if gone == GOODBYE:
        return
    if gone == other:
        time.sleep(1)  # it failed; where all do for the same reason, each may say so itself
    _end(gone, links)


def _end(gone: int, links: Links) -> NoReturn:
    """End this process, because `gone` is no more."""
    with _ending:
        who = f"process {gone} of {processes.count()}"
        print(f"train: {who} is gone; the same command goes on from the last checkpoint", file=sys.stderr, flush=True)
        if processes.is_first():
            _tell(links, gone)
            time.sleep(0.5)  # JAX aborts the others, with pages of traces, when the first one ends before them
        os._exit(LOST)
