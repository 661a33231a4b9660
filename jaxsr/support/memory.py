"""How much memory is free, to choose block sizes by and to refuse what cannot fit."""

from pathlib import Path
from typing import Any

_UNKNOWN = 4e9  # assumed where the system does not tell


def free_memory(device: Any) -> float:
    """Return the bytes that are free on a JAX `device`; for CPU devices those of the machine."""
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return float(stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    table = Path("/proc/meminfo")
    lines = table.read_text().splitlines() if table.exists() else []
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), _UNKNOWN)
