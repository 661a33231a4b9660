"""Updates of one step, worked out by hand; schedules at their ends."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsr.support.errors import UserError
from jaxsr.training.config import default_config
from jaxsr.training.optimizers import (
    clip_by_rate,
    layer_factors,
    make_optimizer,
    make_schedule,
    scale_by_muon,
    without_frozen,
)
from tests.helpers.configs import load_config

PARAMS = {"conv1": {"kernel": jnp.full((3, 3, 2, 4), 2.0), "bias": jnp.ones(4)}, "conv2": {"bias": jnp.ones(2)}}


def first_update(gradients, **fields):
    config = default_config()
    config.optimizer.update(name="sgd", learning_rate=0.5)
    config.optimizer.update(fields)
    optimizer = make_optimizer(config.optimizer, optax.constant_schedule(config.optimizer.learning_rate))
    return optimizer.update(gradients, optimizer.init(PARAMS), PARAMS)[0]


def gradients_of(value):
    return jax.tree.map(lambda x: jnp.full(x.shape, value), PARAMS)


def test_sgd_and_its_momentum():
    config = default_config()
    config.optimizer.update(name="sgd", momentum=0.9)
    optimizer = make_optimizer(config.optimizer, optax.constant_schedule(0.5))
    state = optimizer.init(PARAMS)
    first, state = optimizer.update(gradients_of(1.0), state, PARAMS)
    second, _ = optimizer.update(gradients_of(1.0), state, PARAMS)
    np.testing.assert_allclose(first["conv2"]["bias"], -0.5)
    np.testing.assert_allclose(second["conv2"]["bias"], -0.95)


def test_adam_moves_by_the_rate():
    update = first_update(gradients_of(7.0), name="adam")
    np.testing.assert_allclose(update["conv1"]["kernel"], -0.5, rtol=1e-4)


def test_weight_decay_adds_the_weights_to_the_gradient():
    update = first_update(gradients_of(1.0), weight_decay=0.1)
    np.testing.assert_allclose(update["conv1"]["kernel"], -0.5 * (1 + 0.1 * 2), rtol=1e-6)


def test_clipping_bounds_the_whole_norm():
    update = first_update(gradients_of(3.0), clip_norm=1.0)
    np.testing.assert_allclose(optax.tree.norm(update), 0.5, rtol=1e-5)


def test_the_longest_layer_name_wins():
    rates = {"conv1": 0.1, "conv1/bias": 0.0, "conv2": 2.0}
    update = first_update(gradients_of(1.0), layer_rates=rates)
    np.testing.assert_allclose(update["conv1"]["kernel"], -0.05)
    np.testing.assert_allclose(update["conv1"]["bias"], 0)
    np.testing.assert_allclose(update["conv2"]["bias"], -1)


def test_what_is_frozen_has_no_gradient():
    def loss(params):
        return sum(jnp.sum(x**2) for x in jax.tree.leaves(without_frozen(params, {"conv1": 0.0, "conv1/bias": 0.5})))

    gradients = jax.grad(loss)(PARAMS)
    np.testing.assert_array_equal(gradients["conv1"]["kernel"], 0)
    np.testing.assert_array_equal(gradients["conv1"]["bias"], 2)
    np.testing.assert_array_equal(gradients["conv2"]["bias"], 2)


def test_bias_names_all_biases():
    update = first_update(gradients_of(1.0), layer_rates={"bias": 0.1})
    np.testing.assert_allclose(update["conv1"]["kernel"], -0.5)
    np.testing.assert_allclose(update["conv1"]["bias"], -0.05)
    np.testing.assert_allclose(update["conv2"]["bias"], -0.05)


def test_a_layer_name_must_be_a_whole_one():
    with pytest.raises(
        UserError, match="layer_rates names 'conv', which starts or ends no parameter; did you mean 'conv"
    ):
        layer_factors(PARAMS, {"conv": 0.1})


def test_muon_makes_kernels_orthogonal_and_keeps_their_sign():
    kernel = jax.random.normal(jax.random.key(0), (3, 3, 2, 4))
    muon = scale_by_muon(0.95)
    params = {"kernel": kernel, "bias": jnp.ones(4)}
    update, _ = muon.update({"kernel": kernel, "bias": jnp.full(4, 3.0)}, muon.init(params), params)
    values = np.linalg.svd(np.asarray(update["kernel"]).reshape(18, 4), compute_uv=False)
    assert values.max() / values.min() < 2  # the gradient's own are further apart; Newton-Schulz stops near 1
    assert float(jnp.sum(update["kernel"] * kernel)) > 0
    nesterov = 1 + 0.95 * (1 - 0.95) / (1 - 0.95**2)  # the first step of Adam with it, for any gradient
    np.testing.assert_allclose(update["bias"], 0.25 * nesterov, rtol=1e-4)


def test_muon_takes_the_layers_of_a_scan_one_by_one():
    kernels = jax.random.normal(jax.random.key(0), (2, 3, 3, 2, 4)) * jnp.array([1.0, 100.0]).reshape(2, 1, 1, 1, 1)
    muon = scale_by_muon(0.95)
    stacked, _ = muon.update({"kernel": kernels}, muon.init({"kernel": kernels}), {"kernel": kernels})
    for i in range(2):
        alone = {"kernel": kernels[i]}
        update, _ = muon.update(alone, muon.init(alone), alone)
        np.testing.assert_allclose(stacked["kernel"][i], update["kernel"], atol=1e-5)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "constant"}, {0: 1.0, 99: 1.0}),
        ({"name": "cosine", "final": 0.1}, {0: 1.0, 50: 0.55, 100: 0.1}),
        ({"name": "exponential", "final": 0.01}, {0: 1.0, 50: 0.1, 100: 0.01}),
        ({"name": "step", "every": 30, "factor": 0.5}, {29: 1.0, 30: 0.5, 60: 0.25}),
        ({"name": "step", "every": 10, "factor": 0.5, "final": 0.3}, {10: 0.5, 20: 0.3, 90: 0.3}),
        ({"name": "step", "every": 10, "factor": 1.0, "final": 0.01}, {0: 1.0, 50: 1.0}),
        ({"name": "step", "every": 10, "factor": 2.0, "final": 0.01}, {0: 1.0, 10: 2.0}),
        ({"name": "constant", "warmup": 10}, {0: 0.0, 5: 0.5, 10: 1.0}),
    ],
)
def test_schedules(fields, expected):
    config = default_config().schedule
    config.update({"warmup": 0, **fields})
    schedule = make_schedule(config, 1.0, 100)
    for step, rate in expected.items():
        assert float(schedule(step)) == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "variant", "expected"),
    [
        ("vdsr", "paper", {0: 0.1, 19_999: 0.1, 20_000: 0.01, 60_000: 1e-4, 79_999: 1e-4}),
        ("drcn", "x2-paper", {0: 0.01, 24_999: 0.01, 25_000: 0.001}),
        ("srdensenet", "All-paper", {46_889: 1e-4, 46_890: 1e-5, 93_779: 1e-5}),
        ("lapsrn", "x4-paper", {49_999: 1e-5, 50_000: 5e-6, 150_000: 1.25e-6, 299_999: 1e-6}),
        ("mslapsrn", "D5R8-paper", {99_999: 5e-6, 100_000: 2.5e-6, 200_000: 1.25e-6, 300_000: 1e-6, 599_999: 1e-6}),
        ("rdn", "x2-paper", {199_999: 1e-4, 200_000: 5e-5, 999_999: 6.25e-6}),
        ("danv2", "x2-iso", {199_999: 4e-4, 200_000: 2e-4, 400_000: 1e-4, 799_999: 5e-5}),
        ("espcn", "x3-paper", {0: 0.01, 1_000_000: 1e-4}),
        ("deblurgan", "wild", {150_000: 1e-4, 225_000: 5e-5, 300_000: 0.0}),
    ],
)
def test_published_rates(name, variant, expected):
    """The rates of the papers, or of the authors' code, on both sides of a drop."""
    config = load_config(name, variant)
    schedule = make_schedule(config.schedule, config.optimizer.learning_rate, config.steps)
    for step, rate in expected.items():
        assert float(schedule(step)) == pytest.approx(rate, rel=1e-4), step


def test_elements_are_clipped_to_the_bound_over_the_rate():
    """VDSR, section 3.2: at rates 0.1 and 0.01 with bound 0.01, to 0.1 and 1."""
    clip = clip_by_rate(0.01, lambda count: jnp.where(count == 0, 0.1, 0.01))
    gradients = {"kernel": jnp.array([-5.0, 0.05, 0.5, 3.0])}
    state = clip.init(gradients)
    for expected in ([-0.1, 0.05, 0.1, 0.1], [-1, 0.05, 0.5, 1]):
        clipped, state = clip.update(gradients, state)
        np.testing.assert_allclose(clipped["kernel"], expected, rtol=1e-6)
