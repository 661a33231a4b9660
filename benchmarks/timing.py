"""Fair timing: contestants take turns in one process, a new one for each row; memory in a process of its own."""

import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jaxsr.support.app import use_all_cores

Prepare = Callable[..., Callable[[], Any]]


def contest(contestants: Mapping[str, Callable[[], Any]], *, rounds: int, seconds: float = 0.2) -> dict[str, float]:
    """Return each contestant's seconds per call: the median over `rounds` of the mean of a turn.

    Turns alternate, so that a change of the machine's speed meets all alike. A turn lasts about `seconds`, so
    that none is one lucky call; two turns before the first are not counted.
    """
    repeats = {name: _repeats(call, seconds) for name, call in contestants.items()}
    turns: dict[str, list[float]] = {name: [] for name in contestants}
    for i in range(rounds + 1):
        for name, call in contestants.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            if i > 0:
                turns[name].append((time.perf_counter() - start) / repeats[name])
    return {name: statistics.median(times) for name, times in turns.items()}


def _repeats(call: Callable[[], Any], seconds: float) -> int:
    call()  # compiles
    start = time.perf_counter()
    call()
    return max(1, round(seconds / (time.perf_counter() - start)))


def peak_memory(prepare: Prepare, *arguments: Any) -> float:
    """Return the MiB that calling `prepare(*arguments)()` adds to a fresh process's peak.

    Imports and weights are there before; compilation is part of it, once, as it is for a user.
    """
    return in_new_process(_added_memory, prepare, arguments)


def in_new_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return `function(*arguments)`, computed in a fresh process on all cores.

    There no earlier row has taught the allocator to keep large blocks, which halves some of PyTorch's times.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=use_all_cores) as pool:  # Pool would wait for a dead one for ever
        return pool.submit(function, *arguments).result()


def _added_memory(prepare: Prepare, arguments: tuple) -> float:
    call = prepare(*arguments)
    before = _status("VmRSS")
    call()
    call()
    return _status("VmHWM") - before


def _status(name: str) -> float:
    """Return a memory figure of this process in MiB; VmRSS is now, VmHWM the peak (getrusage has the parent's)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def machine() -> str:
    """Return one line on where the numbers come from: processor, cores, versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "torch"))
    return f"{names[0] if names else platform.machine()}, {cores} cores; Python {platform.python_version()}, {versions}"
