"""What a config asks for, checked before anything is written: the network, its losses, and the stages of the run."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from jaxsr.devices import parallel
from jaxsr.models import ModelSpec, initial_shapes, model_spec
from jaxsr.models.spec import Network
from jaxsr.support.errors import UserError
from jaxsr.support.types import Device, Metrics, Params, Tree, Variables
from jaxsr.training.checks import check_config, check_names, check_share
from jaxsr.training.config import Config, network_of
from jaxsr.training.feeds.feed import Feed
from jaxsr.training.objectives.objective import make_losses
from jaxsr.training.optimizers import layer_factors
from jaxsr.training.state import AdversaryState, TrainState, create_state, initial_variables, taken_from
from jaxsr.training.steps.adversary import Adversary, make_adversary
from jaxsr.training.steps.dispatch import dispatch
from jaxsr.training.steps.training_stages import Stage, make_stages, start_adversary
from jaxsr.training.tasks.task_table import Task, task_of


class Constants(NamedTuple):
    """What the compiled programs take beside state and data: VGG19's weights, and the number of updates in a stage."""

    vgg_params: Params
    updates: Tree  # an integer, an argument so that runs of any length share a program


Program = Callable[[TrainState, Constants, Tree, int], tuple[TrainState, Metrics]]  # (state, constants, data, count)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The parts of a run, made from a valid `config`.

    Attributes:
        network: what is scored and saved.
        devices: those of this process that train; each gets `share` of a batch.
        variables: the network's by the paper's initialisation.
        adversary: the second network's state before the first step; None without one.
        vgg_params: weights of VGG19 that the losses need; {} where they need none.
        stages: pretraining, where the config asks for it, and the training proper.
    """

    config: Config
    spec: ModelSpec
    task: Task
    network: Network
    devices: list[Device]
    share: int
    variables: Variables
    adversary: AdversaryState | None
    vgg_params: Params
    stages: list[Stage]

    def open_feed(self) -> Feed:
        """Return the source of crops."""
        return self.task.open_feed(self.config, self.task.crop_size(self.config, self.spec), self.devices)

    @functools.cached_property
    def first_variables(self) -> Variables:
        """The network's variables before the first step: from `config.initial_weights` where those are given."""
        weights, basis = self.config.initial_weights, self.config.model.basis
        scale = self.config.model.scale
        return taken_from(weights, self.variables, scale, basis=not basis) if weights else self.variables

    def first_state(self) -> TrainState:
        """Return the state before the first step, on the host."""
        return self._state(self.first_variables)

    def blank_state(self) -> TrainState:
        """Return a state of the shapes that the run has, whose values do not count."""
        return self._state(self.variables)

    def _state(self, variables: Variables) -> TrainState:
        averaged = self.config.ema_decay > 0
        optimizer = self.stages[0].optimizer
        return create_state(variables, optimizer, self.adversary, seed=self.config.seed, averaged=averaged)

    def enter_stage(self, index: int, state: TrainState) -> TrainState:
        """Return `state` as the stage `index` starts with it, on the devices."""
        return parallel.replicate(self.stages[index].enter(jax.tree.map(np.asarray, state)), self.devices)

    def constants(self, index: int) -> Constants:
        """Return what the program of the stage `index` takes beside state and data, on the devices."""
        updates = np.int32(self.stages[index].updates)
        return parallel.replicate(Constants(self.vgg_params, updates), self.devices)

    def stage_at(self, step: int) -> int:
        """Return the index of the stage in which `step` updates have been made; at a boundary the earlier one."""
        return next(i for i, stage in enumerate(self.stages) if step <= stage.last)


def make_plan(config: Config) -> Plan:
    """Return the parts of the run that `config` asks for; raises UserError where it cannot run."""
    check_names(config)
    spec = model_spec(config.model.name)
    check_config(config, spec)
    task, network = task_of(config), network_of(config, spec)
    devices = parallel.devices(config.batch_size)
    share = parallel.share_of(config.batch_size, devices)
    check_share(config, share)
    trained = spec.module(config.model.scale, **{**config.model.options.to_dict(), **spec.training_options})
    with _building(config.model.name, config.model.options, "model.options"):
        shapes = initial_shapes(trained)["params"]
    layer_factors(shapes, config.optimizer.layer_rates.to_dict())
    losses, adversary = make_losses(config), make_adversary(config)
    make_batch = functools.partial(task.make_batch, config, spec)
    return Plan(
        config=config,
        spec=spec,
        task=task,
        network=network,
        devices=devices,
        share=share,
        variables=initial_variables(trained, seed=config.seed, basis=config.model.basis),
        adversary=_first_adversary(config, spec, adversary),
        vgg_params=losses.vgg_params,
        stages=make_stages(config, spec, losses, adversary, make_batch),
    )


def _first_adversary(config: Config, spec: ModelSpec, adversary: Adversary | None) -> AdversaryState | None:
    """Return the second network's state before the first step; raises UserError for options or rates that fit none."""
    section = config.adversarial
    with _building(section.network, section.options, "adversarial.options"):
        state = start_adversary(config, spec, adversary)
    if state is not None:
        layer_factors(state.params, section.optimizer.layer_rates.to_dict())
    return state


@contextlib.contextmanager
def _building(network: str, options: Config, field: str) -> Iterator[None]:
    """Turn what layers raise in this block, as for widths of 0 or none, into a UserError that names the `options`."""
    try:
        yield
    except UserError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{network} cannot be built with {field}={options.to_dict()} ({type(error).__name__}: {reason}); set "
            f"--config.{field}.NAME to values like those that the packaged configs have"
        ) from error


def compile_stages(plan: Plan, feed: Feed) -> list[Program]:
    """Return the program of each stage, which runs several steps on crops of `feed`."""
    looped = parallel.steps_per_dispatch(plan.config.steps_per_dispatch) > 1

    def run_of(stage: Stage) -> parallel.Run:
        def run(state: TrainState, constants: Constants, data: Tree, count: jax.Array) -> tuple[TrainState, Metrics]:
            step = stage.make_step(constants.updates)
            return dispatch(step, feed.draw, share=plan.share, looped=looped)(state, constants.vgg_params, data, count)

        return run

    return [parallel.compile_steps(run_of(stage), plan.devices, sharded_data=feed.sharded) for stage in plan.stages]
