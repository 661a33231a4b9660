"""How a run goes on where an earlier one stopped, with the config that it has now."""

import dataclasses
from pathlib import Path

import jax
import numpy as np

from jaxsr.devices import processes
from jaxsr.support.errors import UserError
from jaxsr.support.types import Json
from jaxsr.training.config import Config
from jaxsr.training.feeds.feed import Feed, goes_on
from jaxsr.training.plan import Plan
from jaxsr.training.run.changes import Change, changed_fields, check_changes, data_field, describe, scored_anew
from jaxsr.training.run.checkpoints import Checkpoints
from jaxsr.training.run.run_folder import config_fields, read_config
from jaxsr.training.run.score_watch import ScoreWatch
from jaxsr.training.state import TrainState
from jaxsr.training.state_arrays import state_from_arrays


@dataclasses.dataclass(frozen=True)
class Resumption:
    """Where a run begins: the `state`, on the host, and the scores so far."""

    state: TrainState
    watch: ScoreWatch


def resume(plan: Plan, workdir: Path, checkpoints: Checkpoints, feed: Feed, *, restart_data: bool) -> Resumption:
    """Return the state of the newest whole checkpoint, with `feed` at its position; the first state without one.

    Prints from which step the run goes on, and what changed fields of the config do. Raises UserError, naming the
    field, for a change with which it cannot go on; nothing is written then.
    """
    read = checkpoints.restore()
    before = processes.from_first(lambda: read_config(workdir))
    if read is None:
        changed = changed_fields(before, config_fields(plan.config)) if before else {}
        check_changes(str(workdir), changed)
        return Resumption(plan.first_state(), ScoreWatch())
    arrays, meta = read
    step, changed = checkpoints.latest, changed_fields(meta["config"], config_fields(plan.config))
    check_changes(str(workdir), changed)
    _check_steps(plan.config, step, workdir)
    check_stages(changed, step, workdir)
    state = _fitting_state(plan, arrays)
    print(f"resuming from step {step} of {plan.config.steps}", flush=True)
    for name, change in changed.items():
        print(describe(name, change), flush=True)
    _seek(feed, meta["position"], changed, restart=restart_data)
    watch = ScoreWatch() if scored_anew(changed) else ScoreWatch.of_record(meta["watch"])
    return Resumption(state, watch)


def _fitting_state(plan: Plan, arrays: dict[str, np.ndarray]) -> TrainState:
    """Return the state of `arrays`, which the first process has read, on all of them."""
    state = jax.tree.map(np.asarray, plan.blank_state())

    def fit() -> None:
        nonlocal state
        state = state_from_arrays(state, arrays)

    processes.from_first(fit)
    return processes.tree_of_first(state)


def _check_steps(config: Config, step: int | None, workdir: Path) -> None:
    """Raise UserError where the run has done more than the config asks for."""
    if step is not None and config.steps < step:
        raise UserError(
            f"steps={config.steps} is below the {step} that the run in {workdir} has done; set --config.steps to more, "
            f"or choose another --workdir"
        )


def check_stages(changed: dict[str, Change], step: int | None, workdir: Path) -> None:
    """Raise UserError where pretraining would end before what the run has done, or has ended already.

    The learning rate counts the updates of a stage: those of another one would be taken for its own.
    """
    old, new = changed.get("pretraining.steps", (step, step))
    if step is not None and step > min(old or 0, new):
        kept = old or 0 if step > (old or 0) else f"{step} or more"
        raise UserError(
            f"pretraining.steps changes from {old} to {new}, but the run in {workdir} has done {step} steps, and "
            f"stages that are past stay as they were; set --config.pretraining.steps to {kept}, or choose another "
            f"--workdir"
        )


def _seek(feed: Feed, saved: Json, changed: dict, *, restart: bool) -> None:
    """Let `feed` go to the position `saved`, or begin anew."""
    if restart:
        print("the data begins anew", flush=True)
    elif goes_on(feed.position(), saved):
        feed.seek(saved)
    else:
        field, (old, new) = data_field(changed)
        raise UserError(
            f"{field} changes from {old!r} to {new!r}, another kind of data, in which the run has no place to go on "
            f"from; add --restart_data to begin the data anew"
        )
