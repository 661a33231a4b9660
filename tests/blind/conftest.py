"""Networks and programs that compile fast."""

import dataclasses

import jax
import numpy as np
import pytest

from jaxsr.blind.kernelgan import parallel_runs
from jaxsr.blind.zssr import internal_learning, restoration
from jaxsr.devices.meshes import map_shares
from jaxsr.models.zssr import ZSSR
from tests.helpers.dan_cases import compiled

FAST = {
    "_draw_params": compiled(internal_learning._draw_params.__wrapped__, static_argnums=(0, 1)),
    "_one_step": compiled(internal_learning.train_step, static_argnums=0, donate_argnums=3),
    "_tested": compiled(internal_learning.test_run, static_argnums=0, donate_argnums=3),
}


class Narrow(ZSSR):
    """A network that compiles fast."""

    depth: int = 3
    features: int = 6


@pytest.fixture
def narrow(monkeypatch):
    """Make ZSSR train narrow networks, compiled without optimisation."""
    spec = dataclasses.replace(restoration.SPEC, build=Narrow, receptive_radius=lambda net: 3)
    monkeypatch.setattr(restoration, "SPEC", spec)
    for name, program in FAST.items():
        monkeypatch.setattr(internal_learning, name, program)


@pytest.fixture
def compiled_fast(monkeypatch):
    """Compile KernelGAN's runs without optimisation: they take longer to compile than to run."""

    def map_examples(function, devices):
        def on_device(*arguments):
            result = function(*jax.tree.map(lambda leaf: leaf[0, 0], arguments))
            return jax.tree.map(lambda leaf: leaf[None, None], result)

        return compiled(map_shares(on_device, jax.sharding.Mesh(np.array(devices), ("batch",))))

    monkeypatch.setattr(parallel_runs, "map_examples", map_examples)
    programs = parallel_runs._start_program, parallel_runs._training_program
    for cache in programs:
        cache.cache_clear()
    yield
    for cache in programs:
        cache.cache_clear()
