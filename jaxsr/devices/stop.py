"""SIGTERM as a wish to stop: the loop ends its dispatch, saves and leaves."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jaxsr.devices import processes


@contextmanager
def stop_on_sigterm() -> Iterator[threading.Event | processes.AgreedStop]:
    """Yield an event that SIGTERM sets, here or in any other process; the earlier handler comes back afterwards.

    Outside the main thread, where Python allows no handlers, the event is simply never set.
    """
    if processes.count() > 1:
        yield processes.AgreedStop()  # a handler of ours would displace the one it depends on
        return
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    earlier = signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGTERM, earlier)
