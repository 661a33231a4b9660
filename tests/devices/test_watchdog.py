"""Messages between processes, and which of them end this one; whole processes are killed in test_processes.py."""

import contextlib
import socket
import time

import pytest

from jaxsr.devices import watchdog


@pytest.mark.parametrize(
    ("number", "ended"),
    [(watchdog.FINISHED, []), (None, [3]), (3, [3]), (2, [2])],
    ids=["done", "killed", "failed", "another"],
)
def test_who_is_gone(number, ended, monkeypatch):
    """What process 3 sends before its connection closes, and the process that this one then reports as gone."""
    ended_for = []

    def end(gone, links):
        ended_for.append(gone)
        raise SystemExit

    monkeypatch.setattr(watchdog, "_exit", end)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    here, there = socket.socketpair()
    with here, there:
        if number is not None:
            watchdog._send({3: there}, number)
        there.close()
        with contextlib.suppress(SystemExit):
            watchdog._watch(3, here, {3: here})
    assert ended_for == ended
