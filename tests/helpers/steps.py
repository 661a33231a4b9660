"""What tests of training steps share: the parts of a step, a step on one device, configs with an adversary."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.devices.meshes import BATCH_AXIS
from jaxsr.models import ModelSpec, model_spec
from jaxsr.support.types import Tree
from jaxsr.training.feeds.blurred_feed import BlurredCrops
from jaxsr.training.objectives.objective import Losses, make_losses
from jaxsr.training.run.checkpoints import Checkpoints
from jaxsr.training.state import TrainState, create_state, initial_variables
from jaxsr.training.state_arrays import state_from_arrays
from jaxsr.training.steps.adversary import Adversary, make_adversary
from jaxsr.training.steps.step import MakeBatch
from jaxsr.training.steps.training_stages import Stage, make_stages, start_adversary
from jaxsr.training.tasks.task_table import task_of
from tests.helpers.dan_cases import compiled

SGD = {"optimizer.name": "sgd", "adversarial.optimizer.name": "sgd"}  # Adam enlarges rounding to whole steps
# Each kind of training whose results may not depend on the number of devices: fields by (config, variant)
DEVICE_CASES = {
    ("deblurgan", "comb"): {
        **{"perceptual.weight": 0.0, "pixel_weight": 10.0, "adversarial.weight": 0.01},
        **SGD,
    },
    ("srntt", "full"): {
        **{"pretraining.steps": 0, "optimizer.learning_rate": 0.1, "adversarial.optimizer.learning_rate": 1e-6},
        **SGD,
    },
}
PATCH_CRITIC = {
    "adversarial.loss": "wasserstein",
    "adversarial.network": "patch",
    "adversarial.options": {"features": 4, "depth": 1},
    "adversarial.penalty": 10.0,
    "adversarial.updates": 2,
    "adversarial.weight": 0.01,
}


class Parts(NamedTuple):
    """What a step is made of, the state before it, and a batch of crops."""

    spec: ModelSpec
    module: Tree
    losses: Losses
    adversary: Adversary
    make_batch: MakeBatch
    stages: list[Stage]
    state: TrainState
    crops: Tree


def parts_of(config):
    """Return the Parts of `config`."""
    spec = model_spec(config.model.name)
    module = spec.module(config.model.scale, **config.model.options.to_dict())
    adversary, losses = make_adversary(config), make_losses(config)
    task = task_of(config)
    make_batch = functools.partial(task.make_batch, config, spec)
    stages = make_stages(config, spec, losses, adversary, make_batch)
    variables, beside = initial_variables(module, seed=0), start_adversary(config, spec, adversary)
    state = create_state(variables, stages[0].optimizer, beside, seed=0, averaged=config.ema_decay > 0)
    crops = np.random.default_rng(3).integers(0, 256, (4, *[task.crop_size(config, spec)] * 2, 3), dtype=np.uint8)
    if config.task == "deblur":
        crops = BlurredCrops(crops, blurred=crops[:, ::-1])
    return Parts(spec, module, losses, adversary, make_batch, stages, state, crops)


def with_patch_critic(tiny, **fields):
    """Return the config, made by the fixture `tiny`, of ESPCN on RGB against a small patch critic."""
    options = {"model.options.channels": 3, "data.patch": 4, "optimizer.name": "sgd", "schedule.name": "constant"}
    config = tiny(**{"data.stretch": 0.0, **options})
    fields = {**PATCH_CRITIC, **fields}
    config.adversarial.options.update(fields.pop("adversarial.options"))
    config.update_from_flattened_dict(fields)
    return config


def on_one_device(function):
    """Return `function`, compiled, where the axis of the devices has one of them."""
    mapped = compiled(jax.vmap(function, axis_name=BATCH_AXIS))

    def call(*arguments):
        result = mapped(*jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], arguments))
        return jax.tree.map(lambda leaf: leaf[0], result)

    return call


def state_after(config, steps=2):
    """Return the state after `steps` of the last stage on one device, and the last metrics."""
    parts = parts_of(config)
    run, state = on_one_device(parts.stages[-1].step), parts.state
    for i in range(steps):
        keys = jax.random.split(jax.random.key(i), config.batch_size)
        state, metrics = run(state, parts.losses.vgg_params, parts.crops, keys)
    return state, metrics


def saved_state(config, workdir):
    """Return the state of the last checkpoint of a run."""
    checkpoints = Checkpoints(workdir)
    arrays, _ = checkpoints.restore()
    checkpoints.close()
    return state_from_arrays(parts_of(config).state, arrays)


def assert_same_networks(state, other):
    """Compare the networks of two states with an adversary, and their statistics, up to 1e-5."""
    for each, same in ((state, other), (state.adversary, other.adversary)):
        for part in ("params", "statistics"):
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), getattr(each, part), getattr(same, part)
            )
