"""Fresh processes for measurements, which the row's limit of time ends: one for each contestant, or for a whole row.

There no earlier row has taught the allocator to keep large blocks, which halves some of PyTorch's times, nothing is
compiled yet, and a contestant that crashes takes nobody along.
"""

import contextlib
import functools
import multiprocessing
import os
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import jax

from jaxsr.support.command_line import use_all_cores
from jaxsr.support.memory import keep_freed_memory

Prepare = Callable[..., Callable[[], Any]]
DEADLINE: ContextVar[float] = ContextVar("deadline", default=float("inf"))  # of time.monotonic, for the row
CONTEXT = multiprocessing.get_context("spawn")
SECONDS_TO_END = 5


class MeasurementFailed(Exception):
    """A measurement broke off; the message says why."""


class OverLimit(MeasurementFailed):
    """A row took longer than its limit."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Have the work of workers inside end by OverLimit after so many `seconds`, or by an earlier limit around it."""
    token = DEADLINE.set(min(DEADLINE.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        DEADLINE.reset(token)


def remaining() -> float:
    """Return the seconds that are left of the limits around; infinite without any."""
    return max(DEADLINE.get() - time.monotonic(), 0.0)


class Worker:
    """A process on all cores and GPUs, or on the first `devices` of them; end it by leaving its `with`.

    On a CPU each core is a device unless `cores_as_devices` is False; `as_command` has it allocate memory as jaxsr's
    commands do, which PyTorch's users do not.
    """

    def __init__(self, *, devices: int = 0, cores_as_devices: bool = True, as_command: bool = False) -> None:
        os.environ.update(TORCHINDUCTOR_CACHE_DIR=_compiler_folder().name, TORCHINDUCTOR_FORCE_DISABLE_CACHES="1")
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # a GPU is shared with PyTorch
        self._pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_serve, args=(theirs, devices, cores_as_devices, as_command))
        self._process.start()
        theirs.close()

    def __enter__(self) -> "Worker":
        """Return the worker."""
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        """End the process and those that it started, such as compilers, at once after an error or Ctrl-C."""
        self._pipe.close()
        if kind is None and remaining() > 0:
            self._process.join(SECONDS_TO_END)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return `function(*arguments)`, computed there.

        Raises OverLimit at the end of the row's time, and MeasurementFailed with what the function raised.
        """
        try:
            self._pipe.send((function, arguments))
            seconds = remaining()
            if not self._pipe.poll(None if seconds == float("inf") else seconds):
                raise OverLimit(f"not done in the {seconds:.0f} s that were left")
            failure, result = self._pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join(SECONDS_TO_END)
            raise MeasurementFailed(f"the process ended with status {self._process.exitcode}") from None
        if failure:
            raise MeasurementFailed(failure)
        return result

    def prepare(self, prepare: Prepare, *arguments: Any) -> None:
        """Have the process hold the call `prepare(*arguments)`."""
        self.run(_hold, prepare, arguments)

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return `function(call, *arguments)` of the call that the process holds."""
        return self.run(_of_held, function, arguments)


def in_new_process(
    function: Callable[..., Any], *arguments: Any, devices: int = 0, cores_as_devices: bool = True
) -> Any:
    """Return `function(*arguments)`, computed in a Worker of its own."""
    with Worker(devices=devices, cores_as_devices=cores_as_devices) as worker:
        return worker.run(function, *arguments)


_held: list[Callable[[], Any]] = []


def _hold(prepare: Prepare, arguments: tuple) -> None:
    _held[:] = [prepare(*arguments)]


def _of_held(function: Callable[..., Any], arguments: tuple) -> Any:
    return function(_held[0], *arguments)


def _serve(pipe: Connection, devices: int, cores_as_devices: bool, as_command: bool) -> None:
    """Answer (function, arguments) by (why it failed, result) until the other end closes."""
    os.setsid()  # so that compilers end with it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _start(devices, cores_as_devices, as_command)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            function, arguments = pipe.recv()
            try:
                answer = "", function(*arguments)
            except Exception as error:  # of any sort: the row says which
                answer = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}", None
            pipe.send(answer)


def _end_with_parent() -> None:
    """Wait until the parent has ended, in whatever way; its next command is not to share the cores with this one."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.killpg(0, signal.SIGKILL)


def _start(devices: int, cores_as_devices: bool, as_command: bool) -> None:
    if devices and Path("/proc/driver/nvidia").exists():
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, range(devices)))
    elif devices:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:devices])
    if as_command:
        keep_freed_memory()
    if cores_as_devices:
        use_all_cores()
    jax.config.update("jax_enable_compilation_cache", False)
    warnings.filterwarnings("ignore", "dynamo_pgo force disabled")


@functools.cache
def _compiler_folder() -> tempfile.TemporaryDirectory:
    """Return where torch.compile keeps what all its programs include; removed at exit."""
    return tempfile.TemporaryDirectory(prefix="inductor-")
