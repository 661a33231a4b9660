"""Which devices train, and how batches are laid out for them."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.training import parallel, processes


def test_cores_share_a_batch_that_not_all_divide():
    assert [len(parallel.devices(batch_size)) for batch_size in (1, 2, 3, 4, 6, 8, 9)] == [1, 2, 3, 4, 3, 4, 3]


def test_gpus_must_divide_the_batch(monkeypatch):
    gpus = [SimpleNamespace(platform="gpu")] * 4
    monkeypatch.setattr(jax, "local_devices", lambda: gpus)
    assert parallel.devices(8) == gpus
    with pytest.raises(UserError, match="batch_size=6 does not divide among 4 devices; the nearest that does is 8"):
        parallel.devices(6)


def test_each_device_gets_its_part_of_every_batch():
    batches = np.arange(3 * 8).reshape(3, 8)
    parts = parallel.shard(batches, jax.local_devices())
    assert parts.shape == (4, 3, 2)
    np.testing.assert_array_equal(np.concatenate(list(parts), axis=1), batches)


def test_processes_share_the_batch_first(monkeypatch):
    monkeypatch.setattr(processes, "count", lambda: 2)
    assert [len(parallel.devices(batch_size)) for batch_size in (2, 4, 6, 8)] == [1, 2, 3, 4]
    with pytest.raises(UserError, match="batch_size=7 does not divide among 2 devices of 2 processes; the nearest"):
        parallel.devices(7)
