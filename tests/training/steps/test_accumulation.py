"""Batches in parts and lower precision: the same step, in other sums and with fewer bits."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.models.precision import computing_in, to_dtype
from jaxsr.support.errors import UserError
from jaxsr.training.loop import train
from jaxsr.training.steps.accumulation import joined, mean_of_parts, split
from jaxsr.training.steps.step import apply_network
from tests.helpers.steps import parts_of, state_after
from tests.helpers.training import records, weights


def assert_alike(one, other, tolerance):
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    assert max(float(np.abs(np.asarray(a, np.float64) - b).max()) for a, b in leaves) <= tolerance


def test_the_mean_of_parts_is_that_of_the_whole():
    batch = {"x": np.arange(12.0).reshape(6, 2)}
    np.testing.assert_array_equal(joined(split(batch, 3))["x"], batch["x"])

    def run(seen, part):
        return seen + len(part["x"]), part["x"].mean(axis=0)

    for parts in (1, 2, 3, 6):
        seen, mean = jax.jit(functools.partial(mean_of_parts, run, parts=parts))(0, batch)
        assert seen == 6
        np.testing.assert_allclose(mean, [5, 6])


@pytest.mark.slow
def test_parts_change_no_pixel_training(tiny):
    fields = {"optimizer.name": "sgd", "schedule.name": "constant"}
    whole, metrics = state_after(tiny(**fields))
    parts, metrics_of_parts = state_after(tiny(**fields, accumulate=2))
    assert_alike(whole, parts, 1e-5)
    assert_alike(metrics, metrics_of_parts, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["sample", "pixel"])
def test_parts_change_no_adversarial_training(form, against):
    """Both networks' gradients, of the critic's two updates with the penalty, and of the generator's."""
    fields = {"adversarial.optimizer.name": "sgd", "adversarial.penalty_form": form}
    whole, metrics = state_after(against(**fields))
    parts, metrics_of_parts = state_after(against(**fields, accumulate=2))
    assert_alike((whole.params, whole.adversary.params), (parts.params, parts.adversary.params), 1e-5)
    del metrics["contrast"], metrics_of_parts["contrast"]  # a ratio of deviations, which differ between parts
    assert metrics.keys() == metrics_of_parts.keys()
    del metrics["psnr"], metrics_of_parts["psnr"]
    assert_alike(metrics, metrics_of_parts, 1e-4)


@pytest.mark.slow
def test_bf16_computes_near_float32_and_keeps_it(against):
    """Weights, moments and statistics stay float32 and close; the products are of bf16 numbers."""
    fields = {"adversarial.optimizer.name": "sgd"}
    full, metrics = state_after(against(**fields))
    half, metrics_of_half = state_after(against(**fields, precision="bf16"))
    assert {leaf.dtype for leaf in jax.tree.leaves((half.params, half.optimizer, half.adversary.params))} <= {
        np.dtype(np.float32),
        np.dtype(np.int32),
    }
    assert_alike(full.params, half.params, 2e-3)
    assert not np.array_equal(full.params["conv1"]["kernel"], half.params["conv1"]["kernel"])
    assert float(metrics_of_half["loss"]) == pytest.approx(float(metrics["loss"]), rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), [("espcn", "x2"), ("fsrcnn", "x2"), ("srresnet", "x2")])
def test_bf16_reaches_every_convolution(name, variant, tiny):
    """Also those behind a normalization, whose statistics are float32."""
    module, state = (parts := parts_of(tiny(name, variant))).module, parts.state
    x = jnp.zeros((1, 12, 12, module.channels))
    variables = {"params": state.params, **state.statistics}
    run = computing_in("bf16", lambda params, x: module.apply({**variables, "params": params}, x))
    text = str(jax.make_jaxpr(run)(state.params, x))
    convolutions = [line for line in text.splitlines() if " conv_general_dilated" in line]
    assert len(convolutions) >= 3
    assert all(":bf16[" in line.split("=")[0] for line in convolutions), convolutions
    assert jax.eval_shape(run, state.params, x).dtype == np.float32


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("rdn", "x2"),
        pytest.param("danv1", "x2-iso", marks=pytest.mark.slow),
        pytest.param("danv2", "x2-iso", marks=pytest.mark.slow),
    ],
)
def test_bf16_leaves_constants_as_they_are(name, variant, tiny):
    """RDN's mean and DAN's basis are float32: they are cast where the network computes, and kept."""
    config = tiny(name, variant, precision="bf16", **{"data.patch": 8})
    parts = parts_of(config)
    arguments = (parts.state, {}, parts.crops, jax.random.split(jax.random.key(0), 4))
    arguments = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], arguments)
    after, _ = jax.eval_shape(jax.vmap(parts.stages[0].step, axis_name=BATCH_AXIS), *arguments)
    before = (parts.state.params, parts.state.statistics)
    dtypes = jax.tree.map(lambda leaf: leaf.dtype, before)
    assert jax.tree.map(lambda leaf: leaf.dtype, (after.params, after.statistics)) == dtypes


def test_constants_are_not_trained():
    """Nor rounded by a step in bf16."""
    network, statistics = nn.Dense(1), {"constants": {"basis": jnp.float32([0.1])}}
    params, x = network.init(jax.random.key(0), jnp.zeros((1, 2)))["params"], jnp.zeros((1, 2), jnp.bfloat16)
    _, after = apply_network(network, {}, to_dtype(params, jnp.bfloat16), x, statistics, None)
    np.testing.assert_array_equal(after["constants"]["basis"], np.float32(0.1))


@pytest.mark.slow
def test_both_go_through_the_loop(tiny, tmp_path):
    train(tiny(accumulate=2, precision="bf16", batch_size=8, steps=40, log_every=10), tmp_path)
    losses = [line["loss"] for line in records(tmp_path, "train")]
    assert losses[-1] < 0.8 * losses[0]
    assert all(x.dtype == np.float32 for x in weights(tmp_path).values())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"precision": "bf61"}, "unknown precision 'bf61'; did you mean 'bf16'"),
        ({"accumulate": 0}, "accumulate=0 must be at least 1"),
        (
            {"accumulate": 3, "batch_size": 8},
            "accumulate=3 does not divide the 2 of batch_size=8 that each device gets",
        ),
    ],
)
def test_mistakes_are_named(fields, message, tiny, tmp_path):
    with pytest.raises(UserError, match=message):
        train(tiny(**fields), tmp_path / "run")
    assert not (tmp_path / "run").exists()
