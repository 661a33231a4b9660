"""How much memory is free: block sizes depend on it, and work that cannot fit is refused."""

from pathlib import Path

from jaxsr.support.types import Device

DEFAULT_FREE = 4e9  # bytes, assumed where the system does not say


def free_memory(device: Device) -> float:
    """Return the free bytes of a JAX `device`; for CPU devices those of the machine."""
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return float(stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    table = Path("/proc/meminfo")
    lines = table.read_text().splitlines() if table.exists() else []
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), DEFAULT_FREE)
