"""The training loop: one straight function that every network trained on many photos goes through."""

import contextlib
import time
from pathlib import Path

import jax
import numpy as np

from jaxsr.devices import parallel, processes
from jaxsr.devices.stop import stop_on_sigterm
from jaxsr.models import Model, initial_shapes, model_spec
from jaxsr.training.checks import check_config, check_share
from jaxsr.training.config import Config
from jaxsr.training.critic import make_critic
from jaxsr.training.feeds.feed import open_feed
from jaxsr.training.objectives import make_objective
from jaxsr.training.optimizers import layer_factors
from jaxsr.training.pairs import crop_size
from jaxsr.training.run.checkpoints import Checkpoints
from jaxsr.training.run.run_folder import claim_folder, training_card
from jaxsr.training.run.run_log import Meter, RunLog
from jaxsr.training.run.validation import Validation
from jaxsr.training.stages import first_critic, make_stages
from jaxsr.training.state import create_state, initial_variables, scored_variables
from jaxsr.training.steps import dispatch
from jaxsr.training.terms import make_terms
from jaxsr.weights import save


def train(config: Config, workdir: str | Path) -> int:
    """Train as `config` says inside `workdir`, from its newest checkpoint if there is one; return the last step.

    The step is below `config.steps` when SIGTERM ended the run, after a checkpoint. Raises UserError for a
    config that cannot run, before anything is written, and NonFiniteLoss.
    """
    # What the config asks for, checked before the work starts
    workdir = Path(workdir)
    spec = model_spec(config.model.name)
    objective = make_objective(config)
    check_config(config, spec, objective)
    options = config.model.options.to_dict()
    module = spec.module(config.model.scale, **options)
    trained = spec.module(config.model.scale, **{**options, **spec.training_options})
    devices = parallel.devices(config.batch_size)
    share = parallel.share_of(config.batch_size, devices)
    check_share(config, share)
    layer_factors(initial_shapes(trained)["params"], config.optimizer.layer_rates.to_dict())
    variables = initial_variables(trained, seed=config.seed, weights=config.initial_weights, basis=config.model.basis)
    terms, critic = make_terms(config, spec), make_critic(config)
    stages = make_stages(config, spec, objective, terms, critic)

    # Data
    feed = open_feed(config, crop_size(config, spec), devices)
    validation = Validation(config, workdir / "samples")
    looped = parallel.steps_per_dispatch(config.steps_per_dispatch) > 1
    programs = [dispatch(stage.step, feed.draw, share=share, looped=looped) for stage in stages]
    runs = [parallel.compile_steps(program, devices, sharded_data=feed.sharded) for program in programs]
    constants = parallel.replicate(terms.constants, devices)

    # The run folder, and where an earlier run left off
    processes.from_first(lambda: claim_folder(workdir, config))
    checkpoints = Checkpoints(workdir / "checkpoints")
    opponent = first_critic(config, spec, critic)
    state = create_state(variables, stages[0].optimizer, opponent, seed=config.seed, averaged=config.ema_decay > 0)
    if checkpoints.latest is not None:
        state, meta = checkpoints.restore(state)
        feed.seek(meta["position"])
        print(f"{workdir} is at step {checkpoints.latest} of {config.steps}; going on from there", flush=True)
    step = int(state.step)
    state = parallel.replicate(state, devices)
    log = RunLog(workdir, step=step, steps=config.steps, batch_size=config.batch_size, silent=not processes.is_first())
    meter = Meter(config.adversarial.least_contrast)
    stage, run = next((each, run) for each, run in zip(stages, runs, strict=True) if step <= each.last)

    def checkpoint() -> None:
        checkpoints.save(step, state, {"position": feed.position(), "config": config.to_dict()})

    def validate() -> None:
        if not processes.is_first():
            return
        model = Model(spec, module, config.model.scale, jax.tree.map(np.asarray, scored_variables(state)))
        log.validation(step, {**validation.score(model, step), "learning_rate": stage.rate(step)})
        card = training_card(config, step, validation.card(model))
        save(workdir / "model.safetensors", model, **card)

    def due(every: int) -> bool:
        return step % every == 0 or step == config.steps

    # Steps, a dispatch at a time; a dispatch never runs past an event
    with contextlib.closing(checkpoints), contextlib.closing(log), stop_on_sigterm() as stopped:
        while step < config.steps and not stopped.is_set():
            if step == stage.last:
                stage, run = stages[-1], runs[-1]
                state = parallel.replicate(stage.enter(jax.tree.map(np.asarray, state)), devices)
            began = time.monotonic()
            count = steps_to_next_event(config, step)
            data = feed.data(count)
            log.waited(time.monotonic() - began)
            state, metrics = run(state, constants, data, count)
            step += count
            meter.add(count, metrics)
            if due(config.log_every) or step == stage.last:  # the next stage's metrics are others
                log.train(step, meter.mean())
            began = time.monotonic()
            if due(config.checkpoint_every):
                meter.check()  # before saving: the last checkpoint stays a good one
                checkpoint()
            if due(config.validate_every):
                meter.check()
                validate()
            log.pause(time.monotonic() - began)
        meter.check()
        checkpoint()
    return step


def steps_to_next_event(config: Config, step: int) -> int:
    """Return how many steps the next dispatch runs: to the next log, checkpoint, score or stage, at most a full one."""
    events = (config.log_every, config.checkpoint_every, config.validate_every)
    ends = [end - step for end in (config.pretraining.steps, config.steps) if end > step]
    most = parallel.steps_per_dispatch(config.steps_per_dispatch)
    return min(most, *ends, *(every - step % every for every in events))
