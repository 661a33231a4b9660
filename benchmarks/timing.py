"""Fair timing: contestants take turns, in one process or in one each; what a call adds to memory; the machine."""

import contextlib
import functools
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import jax

from benchmarks.workers import Worker, in_new_process

SECONDS_OF_TURN = 0.2
PACKAGES = ("jax", "torch", "openvino", "onnxruntime")


class FirstCalls(NamedTuple):
    """Seconds by which the first call was longer than the second, of the second, and MiB that both added at most."""

    compiling: float
    seconds: float
    mebibytes: float


def contest(
    contestants: Mapping[str, Callable[[], Any]], *, rounds: int, seconds: float = SECONDS_OF_TURN
) -> dict[str, float]:
    """Return each contestant's seconds per call: the median over `rounds` of the mean of a turn.

    Turns alternate, so that a change of the machine's speed meets all alike. A turn lasts about `seconds`, so
    that none is one lucky call; two turns before the first are not counted.
    """
    repeats = {name: repeats_of(call, seconds) for name, call in contestants.items()}
    return _turns(
        {name: lambda call=call, n=repeats[name]: turn(call, n) for name, call in contestants.items()}, rounds
    )


def contest_of_workers(
    workers: Mapping[str, Worker], *, rounds: int, seconds: float = SECONDS_OF_TURN
) -> dict[str, float]:
    """Return what `contest` does, of the calls that `workers` hold."""
    repeats = {name: worker.ask(repeats_of, seconds) for name, worker in workers.items()}
    return _turns({name: lambda w=worker, n=repeats[name]: w.ask(turn, n) for name, worker in workers.items()}, rounds)


def _turns(takes: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the median seconds of so many turns of each, after one that does not count."""
    turns: dict[str, list[float]] = {name: [] for name in takes}
    for i in range(rounds + 1):
        for name, take in takes.items():
            seconds = take()
            if i > 0:
                turns[name].append(seconds)
    return {name: statistics.median(times) for name, times in turns.items()}


def turn(call: Callable[[], Any], repeats: int) -> float:
    """Return the mean seconds of so many calls."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def repeats_of(call: Callable[[], Any], seconds: float) -> int:
    """Return how many calls last `seconds`, after one that compiles."""
    call()
    return max(1, round(seconds / seconds_of(call)))


def seconds_of(call: Callable[[], Any]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def first_calls(call: Callable[[], Any]) -> FirstCalls:
    """Return what the first two calls in this process took; memory is the GPU's where there is one.

    Imports and weights are there before; compilation is part of it, once, as it is for a user.
    """
    with contextlib.suppress(OSError):  # else what came before the calls, and was freed, would be counted as theirs
        Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    first, second = seconds_of(call), seconds_of(call)
    added = _accelerator_peak() if on_accelerator() else _status("VmHWM") - before
    return FirstCalls(max(first - second, 0.0), second, added)


def on_accelerator() -> bool:
    """Return whether JAX computes on a GPU, as PyTorch then does; starts JAX's backend."""
    return jax.default_backend() == "gpu"


def _accelerator_peak() -> float:
    """Return the most MiB of the GPU's memory that this process had in use, of the one library that it uses."""
    import torch  # pyright: ignore[reportMissingImports]

    stats = jax.local_devices()[0].memory_stats() or {}
    return max(stats.get("peak_bytes_in_use", 0), torch.cuda.max_memory_allocated()) / 2**20


def _status(name: str) -> float:
    """Return a memory figure of this process in MiB; VmRSS is now, VmHWM the peak (getrusage has the parent's)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def machine() -> str:
    """Return one line on where the numbers come from: processor, cores, accelerator, versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES if find_spec(name))
    parts = [_processor(), *in_new_process(_accelerator)]
    return f"{', '.join(parts)}; Python {platform.python_version()}, {versions}"


@functools.cache
def hardware() -> str:
    """Return what this process computes on: the accelerator, or the processor with its cores; starts JAX's backend."""
    return ", ".join(_accelerator()) or _processor()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    count = len(os.sched_getaffinity(0))
    return f"{names[0] if names else platform.machine()}, {count} core{'s' if count > 1 else ''}"


def _accelerator() -> list[str]:
    return [jax.local_devices()[0].device_kind] if on_accelerator() else []
