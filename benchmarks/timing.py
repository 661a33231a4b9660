"""Fair timing: contestants take turns in one process, a new one for each row; memory in a process of its own."""

import functools
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax

from jaxsr.support.command_line import use_all_cores

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
    return max(1, round(seconds / seconds_of(call)))


def seconds_of(call: Callable[[], Any]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compile_seconds(call: Callable[[], Any]) -> float:
    """Return by how many seconds the first call is longer than the second."""
    first, second = seconds_of(call), seconds_of(call)
    return max(first - second, 0.0)


def peak_memory(prepare: Prepare, *arguments: Any) -> float:
    """Return the MiB that calling `prepare(*arguments)()` adds to a fresh process's peak; on a GPU, its own peak.

    Imports and weights are there before; compilation is part of it, once, as it is for a user.
    """
    return in_new_process(memory_and_seconds, prepare, arguments)[0]


def in_new_process(
    function: Callable[..., Any], *arguments: Any, devices: int = 0, cores_as_devices: bool = True
) -> Any:
    """Return `function(*arguments)`, computed in a fresh process on all cores and GPUs, or on the first `devices`.

    There no earlier row has taught the allocator to keep large blocks, which halves some of PyTorch's times, and
    nothing is compiled yet.
    """
    os.environ.update(TORCHINDUCTOR_CACHE_DIR=_compiler_folder().name, TORCHINDUCTOR_FORCE_DISABLE_CACHES="1")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # a GPU is shared with PyTorch
    spawn = multiprocessing.get_context("spawn")
    start = (_start, (devices, cores_as_devices))
    with ProcessPoolExecutor(1, spawn, *start) as pool:  # Pool would wait for a dead one for ever
        return pool.submit(function, *arguments).result()


def _start(devices: int, cores_as_devices: bool) -> None:
    if devices and Path("/proc/driver/nvidia").exists():
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, range(devices)))
    elif devices:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:devices])
    if cores_as_devices:
        use_all_cores()
    jax.config.update("jax_enable_compilation_cache", False)
    warnings.filterwarnings("ignore", "dynamo_pgo force disabled")


@functools.cache
def _compiler_folder() -> tempfile.TemporaryDirectory:
    """Return where torch.compile keeps what all its programs include; removed at exit."""
    return tempfile.TemporaryDirectory(prefix="inductor-")


def memory_and_seconds(prepare: Prepare, arguments: tuple) -> tuple[float, float]:
    """Return what `peak_memory` does, and the seconds of the second call; of two calls in this process."""
    call = prepare(*arguments)
    before = _status("VmRSS")
    call()
    seconds = seconds_of(call)
    return (_accelerator_peak() if on_accelerator() else _status("VmHWM") - before), seconds


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
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "torch") if find_spec(name))
    parts = [_processor(), *in_new_process(_accelerator)]
    return f"{', '.join(parts)}; Python {platform.python_version()}, {versions}"


@functools.cache
def hardware() -> str:
    """Return what this process computes on: the accelerator, or the processor with its cores; starts JAX's backend."""
    return ", ".join(_accelerator()) or _processor()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} cores"


def _accelerator() -> list[str]:
    return [jax.local_devices()[0].device_kind] if on_accelerator() else []
