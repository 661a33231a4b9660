"""Two networks against each other: the step, its adversary, the stages of a run, and what ends one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.devices import parallel
from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.losses import gradient_penalty
from jaxsr.support.errors import UserError
from jaxsr.support.randomness import Stream, streams
from jaxsr.training.loop import train
from jaxsr.training.run.run_log import Collapse, Meter, NonFiniteLoss
from jaxsr.training.steps.adversary import Adversary, make_adversary
from jaxsr.training.steps.dispatch import dispatch
from tests.helpers.dan_cases import assert_close, compiled
from tests.helpers.steps import SGD, assert_same_networks, on_one_device, parts_of, saved_state
from tests.helpers.training import records, stop_after


@pytest.mark.slow
@pytest.mark.parametrize("updates", [1, 2])
def test_both_networks_descend_their_own_losses(updates, against):
    """The generator's step follows the critic's, along the gradient of pixels, critic and total variation."""
    rates = {"optimizer.learning_rate": 0.1, "optimizer.momentum": 0.0, "schedule.warmup": 0}
    config = against(**rates, **{"pixel_weight": 2.0, "variation_weight": 1e-3, "adversarial.weight": 0.5})
    config.adversarial.updates = updates
    config.adversarial.optimizer.update(name="sgd", learning_rate=0.01, momentum=0.0)
    config.adversarial.schedule.update(name="constant", warmup=0)
    parts, keys = parts_of(config), jax.random.split(jax.random.key(1), 4)
    module, state = parts.module, parts.state
    after, metrics = on_one_device(parts.stages[0].step)(state, {}, parts.crops, keys)

    (batch,) = compiled(parts.make_batch)(parts.crops, keys).values()
    fake = module.apply({"params": state.params}, batch.lr)

    def score(params, x):
        return parts.adversary.network.apply({"params": params}, 2 * x - 1)

    params = state.adversary.params
    for i in range(updates):
        drawn = jax.vmap(lambda key, i=i: jax.random.fold_in(key, i))(streams(keys, Stream.PENALTY))

        def critic_loss(params, drawn=drawn):
            ends = {"real": 2 * batch.hr - 1, "fake": 2 * fake - 1}
            penalty = gradient_penalty(drawn, lambda x: score(params, (x + 1) / 2), **ends).mean()
            return (score(params, fake) - score(params, batch.hr)).mean() + 10 * penalty

        params = jax.tree.map(lambda p, g: p - 0.01 * g, params, compiled(jax.grad(critic_loss))(params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), after.adversary.params, params)

    def loss(weights):
        x = module.apply({"params": weights}, batch.lr)
        y = 2 * x - 1
        down, right = y[:, 1:, :-1] - y[:, :-1, :-1], y[:, :-1, 1:] - y[:, :-1, :-1]
        last = jnp.abs(y[:, 1:, -1] - y[:, :-1, -1]).sum() + jnp.abs(y[:, -1, 1:] - y[:, -1, :-1]).sum()
        variation = (jnp.sqrt(down**2 + right**2).sum() + last) / len(y)
        return 2 * jnp.mean((x - batch.hr) ** 2) - 0.5 * score(params, x).mean() + 1e-3 * variation

    value, gradients = compiled(jax.value_and_grad(loss))(state.params)
    assert float(metrics["loss"]) == pytest.approx(float(value), rel=1e-5)
    moved = jax.tree.map(lambda new, old: new - old, after.params, state.params)
    jax.tree.map(lambda change, gradient: assert_close(change, -0.1 * gradient, 1e-3), moved, gradients)


@pytest.mark.parametrize("form", ["pixel", "sample"])
def test_where_a_penalty_is_taken_does_not_depend_on_the_number_of_devices(form, against, monkeypatch):
    """One place for the batch by form "pixel", else one for each photo."""
    monkeypatch.setattr(Adversary, "_update", lambda _, keys, *__: (jax.vmap(jax.random.uniform)(keys), {}))
    adversary = make_adversary(against(**{"adversarial.penalty_form": form, "adversarial.updates": 1}))
    keys = jax.random.split(jax.random.key(0), 4)

    def drawn(devices):
        update = jax.vmap(lambda keys: adversary.train(keys, {}, real=None, fake=None)[0], axis_name=BATCH_AXIS)
        return update(keys.reshape(devices, -1)).ravel()

    np.testing.assert_array_equal(drawn(2), drawn(1))
    assert len(set(drawn(2).tolist())) == (1 if form == "pixel" else 4)


@pytest.mark.slow
def test_a_critic_learns_to_separate(against):
    config = against(**{"adversarial.optimizer.name": "adam", "adversarial.updates": 3})
    config.adversarial.optimizer.update(name="adam", learning_rate=0.01)
    config.adversarial.schedule.update(name="constant", warmup=0)
    adversary = make_adversary(config)
    rng = np.random.default_rng(0)
    real = rng.random((8, 16, 16, 3), np.float32)
    fake = np.repeat(np.repeat(real[:, ::2, ::2], 2, axis=1), 2, axis=2)
    state = adversary.start((16, 16, 3), seed=0)
    run = on_one_device(lambda keys, state: adversary.train(keys, state, real=real, fake=fake))
    keys = jax.random.split(jax.random.key(0), 8)
    state, first = run(keys, state)
    for _ in range(20):
        state, last = run(keys, state)
    assert (
        last["adversary_real"] - last["adversary_fake"] > 0.1 > abs(first["adversary_real"] - first["adversary_fake"])
    )
    assert last["adversary_loss"] < first["adversary_loss"]


@pytest.mark.slow
def test_srgan_is_resumed_exactly_and_shared_by_devices(tiny, tmp_path, monkeypatch):
    """Stopped within the adversarial stage; both networks, both optimizers, normalization over all devices."""
    fields = {"steps": 20, "pretraining.steps": 2, "checkpoint_every": 2, "validate_every": 20, "batch_size": 4}
    fields |= SGD
    train(tiny("srgan", "vgg22", **fields), tmp_path / "whole")
    stop_after(4, tiny("srgan", "vgg22", **fields), tmp_path / "halves")
    train(tiny("srgan", "vgg22", **fields), tmp_path / "halves")
    first = jax.local_devices()[:1]
    monkeypatch.setattr(parallel, "devices", lambda batch_size: first)
    train(tiny("srgan", "vgg22", **fields), tmp_path / "one")
    whole, halves, one = (
        saved_state(tiny("srgan", "vgg22", **fields), tmp_path / n) for n in ("whole", "halves", "one")
    )
    assert jax.tree.all(jax.tree.map(np.array_equal, whole, halves))
    assert_same_networks(whole, one)
    logged = records(tmp_path / "whole", "train")
    assert "adversary_loss" not in logged[0] and {"adversary_loss", "adversarial", "contrast"} <= logged[-1].keys()
    assert all(np.isfinite(value) for record in logged for value in record.values() if isinstance(value, float))
    assert len(list((tmp_path / "whole" / "samples").iterdir())) == 1


@pytest.mark.slow
def test_four_devices_equal_one_and_so_do_both(against, tmp_path, monkeypatch):
    """After 20 steps of both networks, of which the last 10 were resumed on another number of devices."""
    fields = {"steps": 20, "validate_every": 20, "checkpoint_every": 10, "adversarial.optimizer.name": "sgd"}
    fields |= {"adversarial.optimizer.learning_rate": 3e-4}  # at higher ones the critic diverges, and rounding with it
    train(against(**fields), tmp_path / "four")
    stop_after(10, against(**fields), tmp_path / "both")
    first = jax.local_devices()[:1]
    monkeypatch.setattr(parallel, "devices", lambda batch_size: first)
    train(against(**fields), tmp_path / "both")
    train(against(**fields), tmp_path / "one")
    four, both, one = (saved_state(against(**fields), tmp_path / name) for name in ("four", "both", "one"))
    for other in (both, one):
        assert_same_networks(four, other)


def test_the_optimizer_starts_anew_after_pretraining(against):
    config = against(**{"steps": 10, "pretraining.steps": 4, "pretraining.learning_rate": 0.5})
    config.optimizer.update(name="adam", learning_rate=0.1)
    stages, state = (parts := parts_of(config)).stages, parts.state
    assert [(stage.first, stage.last) for stage in stages] == [(0, 4), (4, 10)]
    assert stages[0].rate(3) == 0.5
    used = jax.tree.map(lambda leaf: leaf + 1, state)
    entered = stages[1].enter(used)
    fresh = stages[1].optimizer.init(used.params)
    jax.tree.map(np.testing.assert_array_equal, entered.optimizer, fresh)
    jax.tree.map(np.testing.assert_array_equal, entered.adversary, used.adversary)


@pytest.mark.slow
def test_a_lost_adversary_ends_the_run(against):
    config = against()
    parts = parts_of(config)
    adversary = parts.state.adversary
    lost = jax.tree.map(lambda x: x * jnp.inf, adversary.params)
    state = parts.state.replace(adversary=adversary.replace(params=lost))
    run = dispatch(parts.stages[0].step, lambda data, i, keys: data, share=4, looped=False)
    _, metrics = on_one_device(lambda state, crops: run(state, {}, crops, 1))(state, parts.crops)
    meter = Meter()
    meter.add(1, metrics)
    with pytest.raises(NonFiniteLoss, match="not finite at step 1"):
        meter.check()


def test_lost_contrast_ends_the_run():
    meter = Meter(0.1)

    def look(contrast):
        meter.add(1, {"bad_step": -1, "contrast": np.float32(contrast)})
        return meter.mean()

    assert look(0.0) == {"contrast": 0.0}  # a network that has not learned anything yet
    look(0.8)
    with pytest.raises(Collapse, match=r"have 0\.010 of the HR photos' contrast, the least allowed is 0\.1"):
        look(0.01)
    Meter(0.0).add(1, {"bad_step": -1, "contrast": np.float32(0)})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"adversarial.loss": "bec"}, "unknown adversarial loss 'bec'; did you mean 'bce'"),
        ({"adversarial.network": "pacth"}, "unknown adversarial network 'pacth'; did you mean 'patch'"),
        (
            {"adversarial.options.stages": 4},
            "adversarial network 'patch' has no option 'stages', it has: features, depth; set another",
        ),
        ({"adversarial.updates": 0}, "adversarial.updates=0 must be at least 1"),
        ({"adversarial.penalty_form": "pixels"}, "unknown form of the gradient penalty 'pixels'; did you mean 'pixel'"),
        ({"pretraining.steps": 4}, r"pretraining.steps=4 must lie in \[0, steps=4\)"),
        ({"perceptual.weight": 1.0, "perceptual.weights": "no.pth"}, "no.pth: no such file; get vgg19"),
        ({"perceptual.weight": 1.0, "model.options.channels": 1}, "espcn has 1 channel, VGG19 sees RGB"),
        ({"data.scales": (2, 3)}, "weights of espcn do not serve the scales"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_work(fields, message, against, tmp_path):
    with pytest.raises(UserError, match=message):
        train(against(**fields), tmp_path / "run")
    assert not (tmp_path / "run").exists()
