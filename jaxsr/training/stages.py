"""The stages of a run: pretraining by the pixel loss, where the config asks for it, then the training proper."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsr.models import ModelSpec, restored_image
from jaxsr.training.config import Config
from jaxsr.training.critic import Critic
from jaxsr.training.objectives import Objective
from jaxsr.training.optimizers import make_optimizer, make_schedule
from jaxsr.training.pairs import Crops, crop_size, is_deblurring, make_pairs
from jaxsr.training.state import CriticState, TrainState
from jaxsr.training.steps import Step, make_step
from jaxsr.training.terms import Terms


@dataclasses.dataclass(frozen=True)
class Stage:
    """Updates from `first` up to `last`, by `step`; the optimiser and its schedule start anew with a stage."""

    first: int
    last: int
    step: Step
    optimizer: optax.GradientTransformation
    schedule: optax.Schedule

    def enter(self, state: TrainState) -> TrainState:
        """Return `state`, on the host, as this stage starts with it."""
        optimizer = jax.tree.map(np.asarray, self.optimizer.init(state.params))
        return dataclasses.replace(state, optimizer=optimizer)

    def rate(self, step: int) -> float:
        """Return the generator's learning rate after `step` updates of the run."""
        return float(np.asarray(self.schedule(step - self.first)))


def make_stages(
    config: Config, spec: ModelSpec, objective: Objective, terms: Terms, critic: Critic | None
) -> list[Stage]:
    """Return the one or two stages of `config`."""
    before = config.pretraining.steps
    rate = config.optimizer.learning_rate
    schedule = make_schedule(config.schedule, rate, config.steps - before)
    optimizer = make_optimizer(config.optimizer, schedule)
    step = make_step(config, spec, optimizer, objective, terms, critic)
    proper = Stage(before, config.steps, step, optimizer, schedule)
    if not before:
        return [proper]
    schedule = optax.constant_schedule(config.pretraining.learning_rate)
    optimizer = make_optimizer(config.optimizer, schedule)
    step = make_step(config, spec, optimizer, objective, terms, pretraining=True)
    return [Stage(0, before, step, optimizer, schedule), proper]


def first_critic(config: Config, spec: ModelSpec, critic: Critic | None) -> CriticState | None:
    """Return the critic's state before its first update, for patches as the network returns them."""
    if critic is None:
        return None
    module = spec.module(config.model.scale, **config.model.options.to_dict())

    def output(hr: jax.Array, key: jax.Array) -> jax.Array:
        crops = Crops(hr, blurred=hr) if is_deblurring(config) else hr
        (pair,) = make_pairs(crops, key[None], config, spec, module.channels).values()
        return restored_image(module.init_with_output(key, pair.small)[0])

    if config.data.references:
        side = crop_size(config, spec)
        return critic.start((side, side, module.channels), seed=config.seed)
    crop = jax.ShapeDtypeStruct((1, *[crop_size(config, spec)] * 2, 3), jnp.uint8)
    return critic.start(jax.eval_shape(output, crop, jax.random.key(0)).shape[1:], seed=config.seed)
