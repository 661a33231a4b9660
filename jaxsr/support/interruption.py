"""Ctrl-C and SIGTERM in commands: temporary files are removed, one line is printed, nothing is ignored."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SHELL_OFFSET = 128  # a shell reports a process that signal N ended as 128 + N
AGAIN, ATTEMPTS = 0.1, 15  # seconds after which a signal is raised again whose exception was lost, and how often


def end_at_once_on_interrupt() -> None:
    """Let Ctrl-C end this process with one line, while it imports its modules and has nothing to clean up."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(number: int, frame: FrameType | None) -> None:
    os.write(2, f"\nended by {signal.Signals(number).name}\n".encode())
    os._exit(SHELL_OFFSET + number)


@contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Raise KeyboardInterrupt(number) in the block on SIGINT and SIGTERM, so that it cleans up on its way out.

    A second signal ends the process at once. Call it in the main thread.
    """
    interrupts, hook = _Interrupts(), sys.unraisablehook
    earlier = {number: signal.signal(number, interrupts.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.unraisablehook = interrupts.notice_lost
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in earlier.items():
            signal.signal(number, handler)


class _Interrupts:
    """Raises an exception for the first signal, and again where Python has dropped that.

    It does where the signal came while a callback of the garbage collector or a finalizer was running. After ATTEMPTS
    the process ends without cleaning up.
    """

    def __init__(self):
        self._number: int | None = None
        self._lost = False
        self._attempts = 0

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt."""
        if self._number is not None and not self._lost:
            os._exit(SHELL_OFFSET + number)
        self._number, self._lost = number, False
        raise KeyboardInterrupt(number)

    def notice_lost(self, event: "sys.UnraisableHookArgs") -> None:
        """Raise the signal again where `event`, an exception that nothing can catch, is that of a signal."""
        if self._number is None or not isinstance(event.exc_value, KeyboardInterrupt):
            sys.__unraisablehook__(event)
            return
        self._lost, self._attempts = True, self._attempts + 1
        if self._attempts == ATTEMPTS:
            _end_at_once(self._number, None)
        delay = AGAIN * (1 + self._attempts / 3)  # growing, so as not to meet a regular callback each time
        threading.Timer(delay, os.kill, (os.getpid(), self._number)).start()
