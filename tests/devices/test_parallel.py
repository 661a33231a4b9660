"""Which devices train, and how batches are laid out for them."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from jaxsr.devices import parallel, processes
from jaxsr.support.errors import UserError


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
    each = [parallel.put_sharded(batch, jax.local_devices()) for batch in batches]
    assert each[0].shape == (4, 1, 2) and [len(part.data) for part in each[0].addressable_shards] == [1] * 4
    for steps in (3, 5):
        parts = np.asarray(parallel.dispatch_of(each, steps))
        np.testing.assert_array_equal(np.concatenate(list(parts), axis=1), batches[[0, 1, 2, 2, 2][:steps]])


def test_processes_share_the_batch_first(monkeypatch):
    monkeypatch.setattr(processes, "count", lambda: 2)
    assert [len(parallel.devices(batch_size)) for batch_size in (2, 4, 6, 8)] == [1, 2, 3, 4]
    with pytest.raises(UserError, match="batch_size=7 does not divide among 2 devices of 2 processes; the nearest"):
        parallel.devices(7)
