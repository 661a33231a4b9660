"""Four virtual CPU devices, no silent broadcasting between ranks, warnings as errors; reference files when there."""

import itertools
import os
from pathlib import Path

import jax
import pytest

from tests.helpers.compilation import set_compilation
from tests.helpers.random_numbers import restart_generators

jax.config.update("jax_platforms", os.environ.get("JAX_PLATFORMS") or "cpu")
jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_default_matmul_precision", "highest")
jax.config.update("jax_compilation_cache_dir", os.environ.get("JAXSR_TEST_CACHE", "/tmp/jaxsr-test-cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
os.environ.setdefault("JAXSR_ENGINE", "xla")  # what "auto" means: results are compared to the last bit

_TESTS = itertools.count(1)
OPTIMIZED = ("optimized", "shared")  # tests whose programs are compiled as users' programs are


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Let a test and its fixtures draw the same numbers, whichever tests ran before it in the same process."""
    if isinstance(item, pytest.Function):
        restart_generators(item.module)


@pytest.fixture(autouse=True)
def _compile_options(request, monkeypatch):
    """Compile most tests in the quick way, which takes a quarter of the time."""
    optimized = any(map(request.node.get_closest_marker, OPTIMIZED))
    emitters = optimized or request.node.get_closest_marker("emitters") is not None
    set_compilation(monkeypatch, optimized=optimized, emitters=emitters)


@pytest.fixture(autouse=True)
def _release_programs():
    """Free the compiled programs when there are many: Linux grants a process 65,530 maps of memory, and none beyond."""
    yield
    maps = Path("/proc/self/maps")
    if next(_TESTS) % 4 == 0 and maps.exists() and maps.read_bytes().count(b"\n") > 30_000:
        jax.clear_caches()


def _shared_folder() -> Path:
    beside = Path(__file__).resolve().parents[1].parent / "shared"
    return Path(os.environ.get("JAXSR_SHARED", beside))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference outputs, published weights and real photos; tests that need it skip without it."""
    folder = _shared_folder()
    if not (folder / "golden" / "index.json").is_file():
        pytest.skip(f"no reference files in {folder}; set JAXSR_SHARED to their folder")
    return folder
