"""Graceful stop on SIGTERM and Ctrl-C: the training loop polls, finishes its dispatch, saves and returns."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from jaxsr.devices import processes
from jaxsr.support.interruption import SHELL_OFFSET

STOPPING = b"\nstopping after this step and a checkpoint; Ctrl-C again ends at once\n"


class Stop:
    """Whether to stop, and the signal that asked for it."""

    def __init__(self):
        """Begin with no signal."""
        self.signal: int | None = None

    def is_set(self) -> bool:
        """Return whether to stop now."""
        return self.signal is not None

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; Ctrl-C after it ends the process at once."""
        if number == signal.SIGINT:
            if self.signal is not None:
                os._exit(SHELL_OFFSET + number)
            os.write(2, STOPPING)  # print() may be running already, and must not be entered again
        self.signal = self.signal or number


class AgreedStop(Stop):
    """The same for several processes, of which any may get the signal: all of them stop after the same step.

    JAX's own handler takes SIGTERM and tells the coordinator; Ctrl-C is passed on to it as SIGTERM.
    """

    def __init__(self):
        """Begin with no signal to any process."""
        super().__init__()
        self._step = processes.AgreedStep()

    def is_set(self) -> bool:
        """Return whether to stop now. All processes must call it after the same steps."""
        reached = self._step.reached()
        if reached and self.signal is None:
            self.signal = signal.SIGTERM  # which another process got
        return reached

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Pass Ctrl-C on to JAX's handler of SIGTERM."""
        super().receive(number, frame)
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Yield a Stop that SIGTERM and Ctrl-C set, to this process or any other of the run; restore the handlers after.

    Outside the main thread, where Python allows no signal handlers, it is never set.
    """
    several = processes.count() > 1
    stop = AgreedStop() if several else Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    taken = (signal.SIGINT,) if several else (signal.SIGINT, signal.SIGTERM)  # JAX has its handler of SIGTERM
    earlier = {number: signal.signal(number, stop.receive) for number in taken}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
