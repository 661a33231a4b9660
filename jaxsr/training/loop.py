"""The training loop that every network trained on many photos goes through."""

import contextlib
import dataclasses
from pathlib import Path

import jax
import numpy as np

from jaxsr.devices import parallel, processes
from jaxsr.devices.stop import Stop, stop_on_signals
from jaxsr.models import Model
from jaxsr.models.precision import in_32_bits
from jaxsr.training.checks import check_workdir, warn_of_odd_values
from jaxsr.training.config import Config
from jaxsr.training.feeds.feed import Feed
from jaxsr.training.plan import Plan, Program, compile_stages, make_plan
from jaxsr.training.run.checkpoints import Checkpoints, has_checkpoints
from jaxsr.training.run.curves import draw_curves
from jaxsr.training.run.events import SaveClock, is_due, steps_to_next_event
from jaxsr.training.run.resumption import Resumption, resume
from jaxsr.training.run.run_folder import config_fields, holds_weights, locked, training_card, write_config
from jaxsr.training.run.run_log import LostScores, Meter, RunLog, TrainingFailed
from jaxsr.training.run.score_watch import ScoreWatch
from jaxsr.training.run.validation import Validation
from jaxsr.training.state import TrainState, scored_variables
from jaxsr.training.state_arrays import arrays_by_path
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
    watch: ScoreWatch


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How training ended: the number of updates made in all, and the signal that stopped it, None at the end.

    `below` is by how many dB the last score lay below that of the enlarged or blurred input; negative above it.
    """

    step: int
    signal: int | None
    below: float


@in_32_bits
def train(config: Config, workdir: str | Path, *, restart_data: bool = False) -> Outcome:
    """Train as `config` says inside `workdir`, from its newest whole checkpoint if there is one.

    SIGTERM and Ctrl-C end the run early, after a checkpoint. `restart_data` begins the data anew. Raises UserError for
    a config that cannot run, before anything is written, TrainingFailed when training diverged, and OSError when the
    disk is full.
    """
    # Check the config before anything is written
    workdir, plan = Path(workdir), make_plan(config)
    check_workdir(config, workdir)
    if not has_checkpoints(workdir):
        _ = plan.first_variables  # a run that resumes does not need its initial weights

    # Data and programs
    feed = plan.open_feed()
    validation = Validation(config.data.validation, plan.task.validation_set(config), workdir / "samples")
    programs = compile_stages(plan, feed)

    with contextlib.ExitStack() as opened:
        # The run folder, and the state in which an earlier run stopped
        processes.from_first(lambda: opened.enter_context(locked(workdir)))
        checkpoints = opened.enter_context(contextlib.closing(Checkpoints(workdir)))
        start = resume(plan, workdir, checkpoints, feed, restart_data=restart_data)
        processes.from_first(lambda: write_config(workdir, config))
        if processes.is_first() and start.state.step < config.steps:
            warn_of_odd_values(config)
        options = {"steps": config.steps, "batch_size": config.batch_size, "silent": not processes.is_first()}
        log = opened.enter_context(contextlib.closing(RunLog(workdir, step=int(start.state.step), **options)))
        run = Run(plan, workdir, feed, validation, checkpoints, log, start.watch)

        # Steps
        stop = opened.enter_context(stop_on_signals())
        try:
            step = run_steps(run, programs, start, stop)
        except TrainingFailed as error:
            raise type(error)(f"{error}; {go_back(run, error)}") from None
    return Outcome(step, stop.signal if step < config.steps else None, run.watch.below)


def run_steps(run: Run, programs: list[Program], start: Resumption, stop: Stop) -> int:
    """Train from `start` to the end or until `stop`, one dispatch at a time; return the last step.

    A dispatch never runs past an event: a line of the log, a checkpoint, a score, a stage.
    """
    plan, config, log = run.plan, run.plan.config, run.log
    step = int(start.state.step)
    stage, compiled = plan.stage_at(step), set()
    state = parallel.replicate(start.state, plan.devices)
    constants = plan.constants(stage)
    meter, clock = Meter(config.adversarial.min_contrast), SaveClock(config.checkpoint_minutes)
    while step < config.steps and not stop.is_set():
        if step == plan.stages[stage].last:
            stage += 1
            state, constants = plan.enter_stage(stage, state), plan.constants(stage)
        count = steps_to_next_event(config, step)
        with log.waiting():
            data = run.feed.data(count)
        state, metrics = programs[stage](state, constants, data, count)
        step += count
        meter.add(count, metrics)
        if stage not in compiled:
            compiled.add(stage)
            jax.block_until_ready(metrics)
            log.restart_clock(step)
        after_dispatch(run, step, state, meter, clock)
    meter.check()
    if step != run.checkpoints.latest and step > 0:
        save_checkpoint(run, step, state)
    if step < config.steps or not holds_weights(run.workdir, step):  # stopped, also by a kill after the last score
        save_weights(run, "model", step, model_of(run, state), scores=[])
    return step


def after_dispatch(run: Run, step: int, state: TrainState, meter: Meter, clock: SaveClock) -> None:
    """Log, score and save where that is due after `step`."""
    config = run.plan.config
    logs = is_due(config, step, config.log_every) or step in {stage.last for stage in run.plan.stages}
    if logs:  # at the end of a stage too: the next has other metrics
        run.log.train(step, meter.mean())
    scores = is_due(config, step, config.validate_every)
    with run.log.pausing():
        if not (scores or is_due(config, step, config.checkpoint_every) or clock.is_due(may_ask_others=logs)):
            return
        meter.check()  # before saving, so that the last checkpoint stays a good one
        if scores:
            validate(run, step, state)
        save_checkpoint(run, step, state)
        clock.restart()


def save_checkpoint(run: Run, step: int, state: TrainState) -> None:
    """Save everything that a resumed run needs."""
    meta = {
        "position": run.feed.position(),
        "config": config_fields(run.plan.config),
        "watch": run.watch.record(),
    }
    run.checkpoints.save(step, arrays_by_path(state), meta, best=run.watch.best_step)


def validate(run: Run, step: int, state: TrainState) -> None:
    """Log the scores after `step`, draw samples, and write the weights; one of several processes does it for all.

    Raises LostScores on all of them where the scores say so.
    """
    model = model_of(run, state)

    def score() -> dict[str, float]:
        rate = run.plan.stages[run.plan.stage_at(step)].rate(step)
        scores = run.validation.score(model, step)
        run.log.validation(step, {**scores, "learning_rate": float(rate)})
        draw_curves(run.workdir, model.name)
        return scores

    scores = processes.from_first(score)
    run.watch.add(step, scores, stop=run.plan.config.stop_on_collapse)
    if processes.is_first():
        card = run.validation.card(model)
        save_weights(run, "model", step, model, scores=card)
        if run.watch.best_step == step:
            save_weights(run, "best", step, model, scores=card)


def model_of(run: Run, state: TrainState) -> Model:
    """Return the network with the weights that are scored and saved."""
    variables = jax.tree.map(np.asarray, scored_variables(state))
    return Model(run.plan.spec, run.plan.network, run.plan.config.model.scale, variables)


def save_weights(run: Run, name: str, step: int, model: Model, *, scores: list) -> None:
    """Write `name`.safetensors with a card that tells of the training, in the first process."""
    if processes.is_first():
        save(run.workdir / f"{name}.safetensors", model, **training_card(run.plan.config, step, scores))


def go_back(run: Run, error: TrainingFailed) -> str:
    """Set aside the checkpoints after the best score, where `error` is that those were lost; return where to resume.

    After other errors all are good: low scores may be wanted (stop_on_collapse=False), or the network's first ones.
    """
    if isinstance(error, LostScores):
        run.checkpoints.set_aside_after(run.watch.best_step)
    if run.checkpoints.latest is None:
        return "no checkpoint was saved before, so the same command begins anew"
    return f"the same command resumes from step {run.checkpoints.latest}"
