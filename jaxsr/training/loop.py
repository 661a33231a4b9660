"""The training loop: one straight function that every network trained on many photos goes through."""

import contextlib
import dataclasses
from pathlib import Path

import jax
import numpy as np

from jaxsr.devices import parallel, processes
from jaxsr.devices.stop import stop_on_sigterm
from jaxsr.models import Model
from jaxsr.training.config import Config
from jaxsr.training.feeds.feed import Feed
from jaxsr.training.plan import Plan, compile_stages, make_plan
from jaxsr.training.run.checkpoints import Checkpoints
from jaxsr.training.run.curves import draw_curves
from jaxsr.training.run.run_folder import claim_folder, training_card
from jaxsr.training.run.run_log import Meter, RunLog
from jaxsr.training.run.validation import Validation
from jaxsr.training.state import TrainState, scored_variables
from jaxsr.weights import save


@dataclasses.dataclass(frozen=True)
class Run:
    """What the loop reads from and writes to."""

    plan: Plan
    workdir: Path
    feed: Feed
    validation: Validation
    checkpoints: Checkpoints
    log: RunLog


def train(config: Config, workdir: str | Path) -> int:
    """Train as `config` says inside `workdir`, from its newest checkpoint if there is one; return the last step.

    That is below `config.steps` when SIGTERM ended the run, after a checkpoint. Raises UserError for a config that
    cannot run, before anything is written, and TrainingFailed when training diverged.
    """
    # Check the config before anything is written
    workdir, plan = Path(workdir), make_plan(config)

    # Data and programs
    feed = plan.open_feed()
    validation = Validation(config.data.validation, plan.task.validation_set(config), workdir / "samples")
    programs = compile_stages(plan, feed)
    vgg_params = parallel.replicate(plan.vgg_params, plan.devices)

    # The run folder, and the state in which an earlier run stopped
    processes.from_first(lambda: claim_folder(workdir, config))
    checkpoints = Checkpoints(workdir / "checkpoints")
    state = restored_state(plan, checkpoints, feed)
    step, stage = int(state.step), plan.stage_at(int(state.step))
    state = parallel.replicate(state, plan.devices)
    silent = not processes.is_first()
    log = RunLog(workdir, step=step, steps=config.steps, batch_size=config.batch_size, silent=silent)
    meter = Meter(config.adversarial.min_contrast)
    run = Run(plan, workdir, feed, validation, checkpoints, log)

    # Steps, one dispatch at a time; a dispatch never runs past an event
    with contextlib.closing(checkpoints), contextlib.closing(log), stop_on_sigterm() as stopped:
        while step < config.steps and not stopped.is_set():
            if step == plan.stages[stage].last:
                stage += 1
                state = plan.enter_stage(stage, state)
            count = steps_to_next_event(config, step)
            with log.waiting():
                data = feed.data(count)
            state, metrics = programs[stage](state, vgg_params, data, count)
            step += count
            meter.add(count, metrics)
            if is_due(config, step, config.log_every) or step == plan.stages[stage].last:  # the next has other metrics
                log.train(step, meter.mean())
            with log.pausing():
                if is_due(config, step, config.checkpoint_every):
                    meter.check()  # before saving, so that the last checkpoint stays a good one
                    save_checkpoint(run, step, state)
                if is_due(config, step, config.validate_every):
                    meter.check()
                    validate(run, step, state)
        meter.check()
        save_checkpoint(run, step, state)
    return step


def restored_state(plan: Plan, checkpoints: Checkpoints, feed: Feed) -> TrainState:
    """Return the state of the newest checkpoint, with `feed` at its position, or the first state where there is none.

    It lies on the host.
    """
    state = plan.first_state()
    if checkpoints.latest is None:
        return state
    state, meta = checkpoints.restore(state)
    feed.seek(meta["position"])
    print(f"resuming from step {checkpoints.latest} of {plan.config.steps}", flush=True)
    return state


def steps_to_next_event(config: Config, step: int) -> int:
    """Return how many steps the next dispatch runs: to the next log, checkpoint, score or stage, at most a full one."""
    events = (config.log_every, config.checkpoint_every, config.validate_every)
    ends = [end - step for end in (config.pretraining.steps, config.steps) if end > step]
    limit = parallel.steps_per_dispatch(config.steps_per_dispatch)
    return min(limit, *ends, *(every - step % every for every in events))


def is_due(config: Config, step: int, every: int) -> bool:
    """Return whether an event of every `every` steps happens after `step`; all happen at the end."""
    return step % every == 0 or step == config.steps


def save_checkpoint(run: Run, step: int, state: TrainState) -> None:
    """Save everything that a resumed run needs."""
    run.checkpoints.save(step, state, {"position": run.feed.position(), "config": run.plan.config.to_dict()})


def validate(run: Run, step: int, state: TrainState) -> None:
    """Log the scores after `step`, draw samples, and write the weights; one of several processes does it for all."""
    if not processes.is_first():
        return
    plan = run.plan
    variables = jax.tree.map(np.asarray, scored_variables(state))
    model = Model(plan.spec, plan.network, plan.config.model.scale, variables)
    rate = plan.stages[plan.stage_at(step)].rate(step)
    run.log.validation(step, {**run.validation.score(model, step), "learning_rate": rate})
    draw_curves(run.workdir, model.name)
    card = training_card(plan.config, step, run.validation.card(model))
    save(run.workdir / "model.safetensors", model, **card)
