"""Free memory: what an accelerator says of itself, and the machine's for CPU devices."""

import os
import subprocess
import sys
from types import SimpleNamespace

import jax
import pytest

from jaxsr.support.memory import free_memory

# Page faults of the second array of 64 MiB, written whole, after the first was freed
FAULTS = """
import resource, sys
import numpy as np
from jaxsr.support.memory import keep_freed_memory
print(keep_freed_memory())
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**26, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults(), faults())
"""


def run_faults(**environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", FAULTS]
    found = subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=True, timeout=60)
    done, first, second = found.stdout.split()
    return done == "True", int(first), int(second)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_freed_memory_is_used_again_unless_the_user_has_chosen():
    done, first, second = run_faults()
    if not done:
        pytest.skip("no glibc")
    assert second < first / 10
    done, first, second = run_faults(MALLOC_ARENA_MAX="2")
    assert not done and second > first / 10


def test_cpu_devices_have_the_machines_memory():
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 2**26 < free_memory(jax.local_devices(backend="cpu")[0]) < whole


def test_accelerators_tell_theirs():
    stats = {"bytes_limit": 1000, "bytes_in_use": 400}
    assert free_memory(SimpleNamespace(platform="gpu", memory_stats=lambda: stats)) == 600
