"""Graceful stop on SIGTERM: the training loop polls an event, finishes its dispatch, saves and returns."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jaxsr.devices import processes


@contextmanager
def stop_on_sigterm() -> Iterator[threading.Event | processes.AgreedStop]:
    """Yield an event that is set on SIGTERM to this process or any other of the run; restore the handler afterwards.

    Outside the main thread, where Python allows no signal handlers, the event is never set.
    """
    if processes.count() > 1:
        yield processes.AgreedStop()  # a handler of our own would replace JAX's, which AgreedStop relies on
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
