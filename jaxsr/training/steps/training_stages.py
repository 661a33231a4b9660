"""The stages of a run: pretraining by the pixel loss, where the config asks for it, then the training proper."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsr.models import ModelSpec, restored_image
from jaxsr.training.config import Config
from jaxsr.training.objectives.objective import Losses
from jaxsr.training.objectives.vgg_features import make_swap
from jaxsr.training.optimizers import make_optimizer, make_schedule
from jaxsr.training.state import AdversaryState, TrainState
from jaxsr.training.steps.accumulation import differentiate, in_parts
from jaxsr.training.steps.adversarial_step import make_adversarial_step
from jaxsr.training.steps.adversary import Adversary, adversary_optimizer
from jaxsr.training.steps.step import MakeBatch, Step, StepSpec, make_forward, make_pixel_step


@dataclasses.dataclass(frozen=True)
class Stage:
    """Updates from `first` up to `last`; the optimizer and its schedule start anew with a stage.

    `make_step(updates)` returns the step whose learning rates fall over so many updates, which may be traced: then the
    compiled program serves runs of any length.
    """

    first: int
    last: int
    make_step: Callable[[int | jax.Array], Step]
    optimizer: optax.GradientTransformation
    schedule: optax.Schedule

    @property
    def updates(self) -> int:
        """The number of updates in the stage."""
        return self.last - self.first

    @property
    def step(self) -> Step:
        """The step of the stage as it is."""
        return self.make_step(self.updates)

    def enter(self, state: TrainState) -> TrainState:
        """Return `state`, on the host, as this stage starts with it."""
        optimizer = jax.tree.map(np.asarray, self.optimizer.init(state.params))
        return dataclasses.replace(state, optimizer=optimizer)

    def rate(self, step: int) -> float:
        """Return the generator's learning rate after `step` updates of the run."""
        return float(np.asarray(self.schedule(step - self.first)))


def make_stages(
    config: Config, spec: ModelSpec, losses: Losses, adversary: Adversary | None, make_batch: MakeBatch
) -> list[Stage]:
    """Return the one or two stages of `config`; `make_batch(crops, keys)` returns the feed's crops as batches."""
    before = config.pretraining.steps
    schedule_of = functools.partial(make_schedule, config.schedule, config.optimizer.learning_rate)
    step = make_step_spec(config, spec, losses, make_batch)
    proper = make_stage(config, (before, config.steps), schedule_of, step, adversary)
    if not before:
        return [proper]
    step = dataclasses.replace(step, losses=losses.pixel_only())
    constant = optax.constant_schedule(config.pretraining.learning_rate)
    return [make_stage(config, (0, before), lambda _: constant, step), proper]


def make_stage(
    config: Config,
    steps: tuple[int, int],
    schedule_of: Callable[[int | jax.Array], optax.Schedule],
    spec: StepSpec,
    adversary: Adversary | None = None,
) -> Stage:
    """Return the stage from the first to the last of `steps`, whose step is `spec` with an optimizer of its own.

    `schedule_of(updates)` returns the learning rate over so many updates.
    """

    def step_over(updates: int | jax.Array) -> Step:
        optimizer = make_optimizer(config.optimizer, schedule_of(updates))
        own = adversary and dataclasses.replace(adversary, optimizer=adversary_optimizer(config, updates))
        return make_step(dataclasses.replace(spec, optimizer=optimizer), own)

    schedule = schedule_of(steps[1] - steps[0])
    return Stage(*steps, step_over, make_optimizer(config.optimizer, schedule), schedule)


def make_step_spec(config: Config, spec: ModelSpec, losses: Losses, make_batch: MakeBatch) -> StepSpec:
    """Return what the steps of `config` are made of, without an optimizer."""
    features = losses.auxiliary.features if config.task == "reference" else None
    return StepSpec(
        make_batch=make_batch,
        forward=make_forward(config, spec, losses),
        losses=losses,
        optimizer=optax.identity(),
        ema_decay=config.ema_decay,
        swap_features=make_swap(features, config.data.hr_reference_share) if features else None,
        differentiate=in_parts(differentiate, config.accumulate),
    )


def make_step(spec: StepSpec, adversary: Adversary | None) -> Step:
    """Return the step of `spec`: adversarial where there is an adversary, else by pixels and auxiliary losses."""
    return make_pixel_step(spec) if adversary is None else make_adversarial_step(spec, adversary)


def start_adversary(config: Config, spec: ModelSpec, adversary: Adversary | None) -> AdversaryState | None:
    """Return the adversary's state before its first update, for patches as the network returns them."""
    if adversary is None:
        return None
    module = spec.module(config.model.scale, **config.model.options.to_dict())
    hr_side = config.model.scale * config.data.patch
    shape = (hr_side, hr_side, module.channels)
    if not spec.needed_by(module):  # a network without further inputs may return less than it takes
        side = hr_side if spec.pre_upsampled else config.data.patch
        lr = jax.ShapeDtypeStruct((1, side, side, module.channels), jnp.float32)
        output, _ = jax.eval_shape(module.init_with_output, jax.eval_shape(lambda: jax.random.key(0)), lr)
        shape = restored_image(output).shape[1:]
    return adversary.start(shape, seed=config.seed)
