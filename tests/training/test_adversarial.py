"""Two networks against each other: the step, its critic, the stages of a run, and what ends one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.devices import parallel
from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.losses.adversarial import gradient_penalty
from jaxsr.models import model_spec
from jaxsr.support.errors import UserError
from jaxsr.training.critic import make_critic
from jaxsr.training.loop import train
from jaxsr.training.objectives import make_objective
from jaxsr.training.pairs import crop_size, make_pairs
from jaxsr.training.run.checkpoints import Checkpoints
from jaxsr.training.run.run_log import Collapse, Meter, NonFiniteLoss
from jaxsr.training.stages import first_critic, make_stages
from jaxsr.training.state import create_state, initial_variables
from jaxsr.training.steps import dispatch
from jaxsr.training.terms import make_terms
from tests.helpers.dan_cases import assert_close, compiled
from tests.training.test_loop import records, stop_after

PATCH = {
    "adversarial.loss": "wasserstein",
    "adversarial.network": "patch",
    "adversarial.options": {"features": 4, "depth": 1},
    "adversarial.penalty": 10.0,
    "adversarial.updates": 2,
    "adversarial.weight": 0.01,
}


@pytest.fixture
def against(tiny):
    """Return a function that gives ESPCN on RGB against a small patch critic, as a config."""

    def make(**fields):
        options = {"model.options.channels": 3, "data.patch": 4, "optimizer.name": "sgd", "schedule.name": "constant"}
        config = tiny(**{"data.stretch": 0.0, **options})
        config.update_from_flattened_dict({k: v for k, v in {**PATCH, **fields}.items() if k != "adversarial.options"})
        config.adversarial.options.update({**PATCH, **fields}["adversarial.options"])
        return config

    return make


def on_one_device(function):
    """Return `function`, compiled, where the axis of the devices has one of them."""
    mapped = compiled(jax.vmap(function, axis_name=BATCH_AXIS))
    first = jax.tree.map
    return lambda *arguments: first(
        lambda leaf: leaf[0], mapped(*first(lambda leaf: jnp.asarray(leaf)[None], arguments))
    )


def pieces(config):
    """Return what a step is made of, the state before it, and a batch of crops."""
    spec = model_spec(config.model.name)
    critic, terms, objective = make_critic(config), make_terms(config, spec), make_objective(config)
    stages = make_stages(config, spec, objective, terms, critic)
    module = spec.module(config.model.scale, **config.model.options.to_dict())
    variables = initial_variables(module, seed=0)
    state = create_state(
        variables, stages[0].optimizer, first_critic(config, spec, critic), seed=0, averaged=config.ema_decay > 0
    )
    hr = np.random.default_rng(3).integers(0, 256, (4, *[crop_size(config, spec)] * 2, 3), dtype=np.uint8)
    return spec, module, critic, stages, state, hr


def test_both_networks_descend_their_own_losses(against):
    """The generator's step follows the critic's two, and is the slope of pixels, critic and total variation."""
    rates = {"optimizer.learning_rate": 0.1, "optimizer.momentum": 0.0, "schedule.warmup": 0}
    config = against(**rates, **{"pixel_weight": 2.0, "variation_weight": 1e-3, "adversarial.weight": 0.5})
    config.adversarial.optimizer.update(name="sgd", learning_rate=0.01, momentum=0.0)
    config.adversarial.schedule.update(name="constant", warmup=0)
    spec, module, critic, (stage,), state, hr = pieces(config)
    keys = jax.random.split(jax.random.key(1), 4)
    after, told = on_one_device(lambda state, hr, keys: stage.step(state, {}, hr, keys))(state, hr, keys)

    ((_, pair),) = compiled(lambda hr: make_pairs(hr, keys, config, spec, 3))(hr).items()
    fake = module.apply({"params": state.params}, pair.small)

    def score(params, x):
        return critic.network.apply({"params": params}, 2 * x - 1)

    params = state.critic.params
    for i in range(2):
        drawn = jax.vmap(lambda key, i=i: jax.random.fold_in(jax.random.fold_in(key, 9), i))(keys)

        def critic_loss(params, drawn=drawn):
            ends = {"real": 2 * pair.sharp - 1, "fake": 2 * fake - 1}
            penalty = gradient_penalty(drawn, lambda x: score(params, (x + 1) / 2), **ends).mean()
            return (score(params, fake) - score(params, pair.sharp)).mean() + 10 * penalty

        params = jax.tree.map(lambda p, g: p - 0.01 * g, params, compiled(jax.grad(critic_loss))(params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), after.critic.params, params)

    def loss(weights):
        x = module.apply({"params": weights}, pair.small)
        y = 2 * x - 1
        down, right = y[:, 1:, :-1] - y[:, :-1, :-1], y[:, :-1, 1:] - y[:, :-1, :-1]
        last = jnp.abs(y[:, 1:, -1] - y[:, :-1, -1]).sum() + jnp.abs(y[:, -1, 1:] - y[:, -1, :-1]).sum()
        variation = (jnp.sqrt(down**2 + right**2).sum() + last) / len(y)
        return 2 * jnp.mean((x - pair.sharp) ** 2) - 0.5 * score(params, x).mean() + 1e-3 * variation

    value, slope = compiled(jax.value_and_grad(loss))(state.params)
    assert float(told["loss"]) == pytest.approx(float(value), rel=1e-5)
    moved = jax.tree.map(lambda new, old: new - old, after.params, state.params)
    jax.tree.map(lambda found, expected: assert_close(found, -0.1 * expected, 1e-3), moved, slope)


def test_a_critic_learns_to_separate(against):
    config = against(**{"adversarial.optimizer.name": "adam", "adversarial.updates": 3})
    config.adversarial.optimizer.update(name="adam", learning_rate=0.01)
    config.adversarial.schedule.update(name="constant", warmup=0)
    critic = make_critic(config)
    rng = np.random.default_rng(0)
    real = rng.random((8, 16, 16, 3), np.float32)
    fake = np.repeat(np.repeat(real[:, ::2, ::2], 2, axis=1), 2, axis=2)
    state = critic.start((16, 16, 3), seed=0)
    run = on_one_device(lambda keys, state: critic.train(keys, state, real=real, fake=fake))
    keys = jax.random.split(jax.random.key(0), 8)
    state, first = run(keys, state)
    for _ in range(20):
        state, last = run(keys, state)
    assert last["critic_real"] - last["critic_fake"] > 0.1 > abs(first["critic_real"] - first["critic_fake"])
    assert last["critic_loss"] < first["critic_loss"]


@pytest.mark.slow
def test_srgan_is_resumed_exactly_and_shared_by_devices(tiny, tmp_path, monkeypatch):
    """Stopped within the adversarial stage; both networks, both optimisers, normalization over all devices."""
    fields = {"steps": 20, "pretraining.steps": 2, "checkpoint_every": 2, "validate_every": 20, "batch_size": 4}
    fields |= {"optimizer.name": "sgd", "adversarial.optimizer.name": "sgd"}  # Adam turns rounding to signs
    train(tiny("srgan", "vgg22", **fields), tmp_path / "whole")
    stop_after(4, tiny("srgan", "vgg22", **fields), tmp_path / "halves")
    train(tiny("srgan", "vgg22", **fields), tmp_path / "halves")
    first = jax.local_devices()[:1]
    monkeypatch.setattr(parallel, "devices", lambda batch_size: first)
    train(tiny("srgan", "vgg22", **fields), tmp_path / "one")
    whole, halves, one = (state_of(tiny("srgan", "vgg22", **fields), tmp_path / n) for n in ("whole", "halves", "one"))
    assert jax.tree.all(jax.tree.map(np.array_equal, whole, halves))
    for each, same in ((whole, one), (whole.critic, one.critic)):
        for name in ("params", "statistics"):
            assert jax.tree.all(
                jax.tree.map(lambda a, b: np.allclose(a, b, atol=1e-5), getattr(each, name), getattr(same, name))
            )
    told = records(tmp_path / "whole", "train")
    assert "critic_loss" not in told[0] and {"critic_loss", "adversarial", "contrast"} <= told[-1].keys()
    assert all(np.isfinite(value) for record in told for value in record.values() if isinstance(value, float))
    assert len(list((tmp_path / "whole" / "samples").iterdir())) == 1


@pytest.mark.slow
def test_four_devices_equal_one_and_so_do_both(against, tmp_path, monkeypatch):
    """After 20 steps of both networks, of which the last 10 were resumed on another number of devices."""
    fields = {"steps": 20, "validate_every": 20, "checkpoint_every": 10, "adversarial.optimizer.name": "sgd"}
    fields |= {"adversarial.optimizer.learning_rate": 1e-3}  # at higher ones the critic's weights run off
    train(against(**fields), tmp_path / "four")
    stop_after(10, against(**fields), tmp_path / "both")
    first = jax.local_devices()[:1]
    monkeypatch.setattr(parallel, "devices", lambda batch_size: first)
    train(against(**fields), tmp_path / "both")
    train(against(**fields), tmp_path / "one")
    four, both, one = (state_of(against(**fields), tmp_path / name) for name in ("four", "both", "one"))
    for other in (both, one):
        for each, same in ((four.params, other.params), (four.critic.params, other.critic.params)):
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), each, same)


def state_of(config, workdir):
    """Return the last checkpoint's state."""
    *_, state, _ = pieces(config)
    checkpoints = Checkpoints(workdir / "checkpoints")
    found, _ = checkpoints.restore(state)
    checkpoints.close()
    return found


def test_the_optimiser_starts_anew_after_pretraining(against):
    config = against(**{"steps": 10, "pretraining.steps": 4, "pretraining.learning_rate": 0.5})
    config.optimizer.update(name="adam", learning_rate=0.1)
    *_, stages, state, _ = pieces(config)
    assert [(stage.first, stage.last) for stage in stages] == [(0, 4), (4, 10)]
    assert stages[0].rate(3) == 0.5
    used = jax.tree.map(lambda leaf: leaf + 1, state)
    entered = stages[1].enter(used)
    fresh = stages[1].optimizer.init(used.params)
    jax.tree.map(np.testing.assert_array_equal, entered.optimizer, fresh)
    jax.tree.map(np.testing.assert_array_equal, entered.critic, used.critic)


def test_a_lost_critic_ends_the_run(against):
    config = against()
    *_, (stage,), state, hr = pieces(config)
    state = state.replace(critic=state.critic.replace(params=jax.tree.map(lambda x: x * jnp.inf, state.critic.params)))
    run = dispatch(stage.step, lambda data, i, keys: data, share=4, looped=False)
    _, metrics = on_one_device(lambda state, hr: run(state, {}, hr, 1))(state, hr)
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
    with pytest.raises(Collapse, match=r"have 0\.010 of the sharp ones' contrast, the least allowed is 0\.1"):
        look(0.01)
    Meter(0.0).add(1, {"bad_step": -1, "contrast": np.float32(0)})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"adversarial.loss": "bec"}, "unknown adversarial loss 'bec'; did you mean 'bce'"),
        ({"adversarial.network": "pacth"}, "unknown critic 'pacth'; did you mean 'patch'"),
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
