"""Free memory: what an accelerator says of itself, and the machine's for CPU devices."""

import os
from types import SimpleNamespace

import jax

from jaxsr.support.memory import free_memory


def test_cpu_devices_have_the_machines_memory():
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 2**26 < free_memory(jax.local_devices(backend="cpu")[0]) < whole


def test_accelerators_tell_theirs():
    stats = {"bytes_limit": 1000, "bytes_in_use": 400}
    assert free_memory(SimpleNamespace(platform="gpu", memory_stats=lambda: stats)) == 600
