"""How much memory is free: block sizes depend on it, and work that cannot fit is refused. And how it is handed out."""

import ctypes
import os
import sys
from pathlib import Path

from jaxsr.support.types import Device

DEFAULT_FREE = 4e9  # bytes, assumed where the system does not say

# mallopt's parameters and values: one heap for all threads, nothing mapped apart, nothing given back to the system
KEEPING = {"M_ARENA_MAX": (-8, 1), "M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, -1)}


def free_memory(device: Device) -> float:
    """Return the free bytes of a JAX `device`; for CPU devices those of the machine."""
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return float(stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    table = Path("/proc/meminfo")
    lines = table.read_text().splitlines() if table.exists() else []
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), DEFAULT_FREE)


def keep_freed_memory() -> bool:
    """Have this process use freed memory again instead of giving it back to the system; return whether it does.

    XLA allocates a program's temporary arrays anew for each call on a CPU, and the system hands out each of their
    pages anew, which takes up to a third of the time of a step. For glibc, before JAX starts; what the user has set by
    MALLOC_* or GLIBC_TUNABLES stays. Call it in commands only, because it holds for the whole process.
    """
    if not sys.platform.startswith("linux") or any(
        name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ
    ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    return mallopt is not None and all([mallopt(*setting) for setting in KEEPING.values()])
