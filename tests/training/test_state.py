"""The moving average, and how a network begins."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsr.degradations import kernels
from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.training.config import default_config
from jaxsr.training.plan import Plan
from jaxsr.training.state import create_state, initial_variables, scored_variables, taken_from, update_average
from jaxsr.weights import load
from tests.helpers.training import REDUCED


def test_average_of_constant_weights_is_exact():
    params = {"w": jnp.asarray([0.1, -3.0])}
    averaged = update_average(params, params, 0.999, jnp.int32(5))
    np.testing.assert_array_equal(averaged["w"], params["w"])


def test_the_decay_is_warmed_up():
    old, new = {"w": jnp.zeros(1)}, {"w": jnp.ones(1)}
    assert float(update_average(old, new, 0.999, jnp.int32(0))["w"][0]) == pytest.approx(0.9)
    assert float(update_average(old, new, 0.999, jnp.int32(10**6))["w"][0]) == pytest.approx(0.001, rel=1e-3)


def test_the_average_is_scored_where_there_is_one():
    params = {"w": jnp.ones(2)}
    for averaged in (True, False):
        state = create_state({"params": params}, optax.sgd(0.1), seed=0, averaged=averaged)
        state = state.replace(params={"w": jnp.zeros(2)})
        assert float(scored_variables(state)["params"]["w"][0]) == (1.0 if averaged else 0.0)


def test_initial_weights_follow_the_seed():
    module = MODELS["espcn"].module(2)
    first, again, other = (initial_variables(module, seed=seed)["params"] for seed in (1, 1, 2))
    same = jax.tree.map(lambda a, b: bool((a == b).all()), first, again)
    assert jax.tree.all(same)
    assert not (first["conv1"]["kernel"] == other["conv1"]["kernel"]).all()


def test_initial_spread_is_the_papers():
    fsrcnn = initial_variables(MODELS["fsrcnn"].module(3), seed=0)["params"]
    assert float(fsrcnn["deconvolution"]["kernel"].std()) == pytest.approx(0.001, rel=0.05)
    expected = np.sqrt(2 / (1 + 0.25**2) / 25)
    assert float(fsrcnn["feature_extraction"]["kernel"].std()) == pytest.approx(expected, rel=0.1)
    srcnn = initial_variables(MODELS["srcnn"].module(3), seed=0)["params"]
    assert float(srcnn["conv2"]["kernel"].std()) == pytest.approx(0.001, rel=0.05)


@pytest.mark.slow
def test_a_given_basis_replaces_the_drawn_one(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "PCA_KERNELS", 500)
    module = MODELS["danv2"].module(2, **REDUCED["danv2"], kernel_size=5, code_length=3)
    np.savez(tmp_path / "basis.npz", P=np.eye(25)[:, :3])
    variables = initial_variables(module, seed=0, basis=str(tmp_path / "basis.npz"))
    np.testing.assert_array_equal(variables["constants"]["basis"], np.eye(25)[:, :3])
    with pytest.raises(UserError, match=r"shape \(25, 3\) does not take kernels of 7x7"):
        module = MODELS["danv2"].module(2, **REDUCED["danv2"], kernel_size=7, code_length=3)
        initial_variables(module, seed=0, basis=str(tmp_path / "basis.npz"))
    with pytest.raises(UserError, match="ESPCN has no PCA basis"):
        initial_variables(MODELS["espcn"].module(2), seed=0, basis=str(tmp_path / "basis.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("given", ["basis.npz", ""])
def test_a_given_basis_stays_where_weights_are_given_too(given):
    shipped = load("danv1-x2").variables
    variables = jax.tree.map(np.zeros_like, dict(shipped))
    config = default_config()
    config.update(initial_weights="danv1-x2", model={"basis": given})
    found = Plan.first_variables.func(SimpleNamespace(config=config, variables=variables))
    expected = variables if given else shipped
    np.testing.assert_array_equal(found["constants"]["basis"], expected["constants"]["basis"])
    jax.tree.map(np.testing.assert_array_equal, found["params"], dict(shipped["params"]))


def test_weights_of_another_kind_are_refused():
    variables = initial_variables(MODELS["srcnn"].module(2), seed=0)
    with pytest.raises(UserError, match="no parameter of lapsrn-x2 fits this network; set --config.initial_weights to"):
        taken_from("lapsrn-x2", variables, 2)
