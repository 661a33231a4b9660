"""States as arrays by path, and back."""

import jax
import numpy as np
import pytest

from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.training.config import default_config
from jaxsr.training.optimizers import make_optimizer
from jaxsr.training.state import create_state, initial_variables
from jaxsr.training.state_arrays import arrays_by_path, state_from_arrays
from tests.helpers import networks

OPTIMIZER = make_optimizer(default_config().optimizer, lambda count: 0.01)


def state_of(seed, *, averaged=True):
    """Return the state of a network with batch statistics."""
    module = MODELS["srresnet"].module(2, **networks.REDUCED["srresnet"])
    return create_state(initial_variables(module, seed=seed), OPTIMIZER, seed=seed, averaged=averaged)


def assert_equal(state, other):
    jax.tree.map(np.testing.assert_array_equal, state, other)


def test_a_state_comes_back():
    state = state_of(1)
    arrays = arrays_by_path(state)
    assert {"step", "key"} <= arrays.keys() and "params/conv1/kernel" in arrays
    assert_equal(state_from_arrays(state_of(2), arrays), state)


def test_an_average_begins_at_the_weights_and_statistics():
    without, with_one = state_of(1, averaged=False), state_of(2)
    found = state_from_arrays(with_one, arrays_by_path(without))
    assert_equal(found.average, {"params": without.params, **without.statistics})
    assert state_from_arrays(without, arrays_by_path(with_one)).average == {}


@pytest.mark.parametrize("change", [lambda x: x[..., :1], None])
def test_what_does_not_fit_is_named(change):
    state = state_of(1)
    arrays = arrays_by_path(state)
    array = arrays.pop("params/conv1/kernel")
    if change:
        arrays["params/conv1/kernel"] = change(array)
    with pytest.raises(UserError, match=r"params/conv1/kernel has shape .* there, \(.*\) here; choose another"):
        state_from_arrays(state, arrays)


def test_a_counter_of_updates_that_begins_or_ends_follows_the_others():
    """Adjustable clipping has one of its own; a run may go on with it or without it."""
    without, schedule = state_of(1), lambda count: 0.01
    section = default_config().optimizer
    section.clip_elements = 0.1
    with_one = without.replace(optimizer=make_optimizer(section, schedule).init(without.params))
    arrays = arrays_by_path(without)
    arrays = {path: np.asarray(7) if path.endswith("/count") else array for path, array in arrays.items()}
    assert "optimizer/1/count" not in arrays
    found = arrays_by_path(state_from_arrays(with_one, arrays))
    assert found.pop("optimizer/1/count") == 7
    assert found.keys() == arrays.keys()
    again = arrays_by_path(state_from_arrays(without, found | {"optimizer/1/count": np.asarray(9)}))
    assert again.keys() == arrays.keys()
