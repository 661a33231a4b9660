"""Work on several photos at once, each on a device of its own, with one count of the steps done."""

import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from typing import TypeVar

import jax

from jaxsr.support.types import Device, Progress

Result = TypeVar("Result")


def on_devices(work: Callable[[int], Result], count: int) -> list[Result]:
    """Return `work(0)` to `work(count - 1)`, as many at once as there are devices, each on one of its own.

    Photos differ in size and in the number of steps: one program for several would wait for the slowest. Raises what
    the first to fail raises.
    """
    devices: queue.SimpleQueue[Device] = queue.SimpleQueue()
    x64 = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]  # which threads do not inherit
    for device in jax.local_devices():
        devices.put(device)

    def on_device(index: int) -> Result:
        device = devices.get()
        try:
            with jax.default_device(device), jax.enable_x64(x64):
                return work(index)
        finally:
            devices.put(device)

    pool = ThreadPoolExecutor(devices.qsize())
    futures = [pool.submit(on_device, index) for index in range(count)]
    try:
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()  # raises what stopped it
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class SharedProgress:
    """Adds up the steps of several photos for one `progress(done, total)`; once stopped, it stops the photos too."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total = progress, total
        self._done: dict[int, int] = {}
        self._lock, self._stopped = threading.Lock(), threading.Event()

    def of_photo(self, index: int) -> Progress:
        """Return the progress of one photo, which raises CancelledError after `stop`."""
        return functools.partial(self._report, index)

    def _report(self, index: int, done: int, total: int) -> None:
        if self._stopped.is_set():
            raise CancelledError
        with self._lock:
            self._done[index] = done
            if self._progress is not None:
                self._progress(sum(self._done.values()), self._total)

    def stop(self) -> None:
        """Stop all photos at their next report, because one failed or the user interrupted."""
        self._stopped.set()
