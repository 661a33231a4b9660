"""What a connection to another process tells; whole processes are killed in test_processes.py."""

import contextlib
import socket
import time

import pytest

from jaxsr.devices import watchdog


@pytest.mark.parametrize(
    ("number", "ended"),
    [(watchdog.GOODBYE, []), (None, [3]), (3, [3]), (2, [2])],
    ids=["done", "killed", "failed", "another"],
)
def test_who_is_gone(number, ended, monkeypatch):
    """Of process 3: what it says before it closes, and for whose sake this one ends."""
    found = []

    def end(gone, links):
        found.append(gone)
        raise SystemExit

    monkeypatch.setattr(watchdog, "_end", end)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    here, there = socket.socketpair()
    with here, there:
        if number is not None:
            watchdog._tell({3: there}, number)
        there.close()
        with contextlib.suppress(SystemExit):
            watchdog._listen(3, here, {3: here})
    assert found == ended
