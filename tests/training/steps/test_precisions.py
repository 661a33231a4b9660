"""A training step of every network in bf16: finite, and weights stay float32. `test_loop.py` takes all in float32."""

import jax
import numpy as np
import pytest

from jaxsr.models.precision import PRECISIONS
from tests.helpers.configs import variants
from tests.helpers.steps import state_after

FIRST = {name: variant for name, variant in reversed(variants())}  # a variant of each network
LOWER = [precision for precision in PRECISIONS if precision != "float32"]
CASES = [
    pytest.param(name, precision, marks=() if name == "espcn" else pytest.mark.slow)
    for name in FIRST
    for precision in LOWER
]


@pytest.mark.parametrize(("name", "precision"), CASES)
def test_every_network_takes_a_step(name, precision, tiny):
    config = tiny(name, FIRST[name], precision=precision)
    state, metrics = state_after(config, steps=1)
    assert all(np.isfinite(np.asarray(x)).all() for x in jax.tree.leaves(metrics))
    floats = [x for x in jax.tree.leaves((state.params, state.statistics)) if x.dtype.kind == "f"]
    assert {x.dtype for x in floats} == {np.dtype(np.float32)}
    assert all(np.isfinite(np.asarray(x)).all() for x in floats)
