"""Times a step of adversarial training, both networks updated, against the same step in PyTorch, eager and compiled.

jaxsr's is the step of `jaxsr.train` by the paper's config, small photos made in it; PyTorch gets these ready made.
Features of VGG19 and dropout are left out on both sides, and SRNTT's maps are ready made.
pip install -e ".[bench]" && python -m benchmarks.adversarial
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import SIZES_OF
from benchmarks.peers import critic_peer, peer
from benchmarks.peers.accelerator import DEVICE, as_contestant, placed, planes
from benchmarks.peers.adversarial import Duel
from benchmarks.tables import Table, run
from benchmarks.trials import PRECISIONS, Case, Trial, table
from configs import deblurgan, srgan, srntt
from jaxsr.devices.parallel import compile_steps, devices, replicate, shard
from jaxsr.imaging.color import to_range
from jaxsr.models import MODELS, Model
from jaxsr.models.srntt import Maps, map_sizes
from jaxsr.support.errors import choose
from jaxsr.support.randomness import Purpose, Stream, seed_key, stream
from jaxsr.support.types import Key, Params, Tree
from jaxsr.training.batches import Batch
from jaxsr.training.config import Config, network_of
from jaxsr.training.feeds.blurred_feed import BlurredCrops
from jaxsr.training.feeds.reference_feed import ReferenceCrops
from jaxsr.training.objectives.objective import make_losses
from jaxsr.training.optimizers import make_schedule
from jaxsr.training.state import TrainState, create_state, initial_variables
from jaxsr.training.steps.adversary import Adversary, make_adversary
from jaxsr.training.steps.dispatch import dispatch
from jaxsr.training.steps.training_stages import Stage, make_stage, make_step_spec, start_adversary
from jaxsr.training.tasks.task_table import task_of

CONFIGS = {"srgan": (srgan, "mse"), "deblurgan": (deblurgan, "wild"), "srntt": (srntt, "full")}
PLACES = 16  # steps after which the penalty's random places come again


def config_of(name: str, patch: int, batch: int, precision: str) -> Config:
    """Return the paper's config without features of VGG19, dropout, pretraining and turns of the patches."""
    module, variant = CONFIGS[name]
    config = module.get_config(variant)
    config.batch_size, config.precision, config.pretraining.steps = batch, precision, 0
    config.data.update(patch=patch, augment=False)
    if name == "deblurgan":
        config.data.pairs = "given"
        config.model.options.dropout = 0.0
    if name == "srgan":
        config.model.options.output = "linear"
    config.pixel_weight = config.pixel_weight or 100.0  # DeblurGAN has features in place of pixels
    config.perceptual.weight = config.texture.weight = 0.0
    return config


def crops_of(name: str, config: Config) -> Tree:
    """Return random crops of a batch, as the feed draws them; SRNTT's have maps in the place of matches."""
    rng = np.random.default_rng(0)
    side = task_of(config).crop_size(config, MODELS[name])
    hr, other = rng.integers(0, 256, (2, config.batch_size, side, side, 3), np.uint8)
    if name == "deblurgan":
        return BlurredCrops(hr, blurred=other)  # type: ignore[arg-type]
    if name == "srgan":
        return hr
    lr_side = side // config.model.scale
    maps = Maps(*(rng.random((config.batch_size, *size), np.float32) for size in map_sizes(lr_side, lr_side)))
    return ReferenceCrops(hr, other, maps, np.zeros(config.batch_size, np.float32))  # type: ignore[arg-type]


def given_maps(_: Params, batch: Batch, keys: Key) -> Maps:
    """Return SRNTT's maps, which are those of the crops."""
    return batch.positions  # type: ignore[return-value]


def parts_of(name: str, config: Config) -> tuple[Stage, Adversary]:
    """Return the stage whose step is timed, without features of VGG19, and the adversary."""
    adversary = make_adversary(config)
    assert adversary is not None, "all of CONFIGS have one"
    make_batch = functools.partial(task_of(config).make_batch, config, MODELS[name])
    without_features = config.copy_and_resolve_references()
    without_features.task = "sr"
    losses = make_losses(without_features)
    step = make_step_spec(without_features, MODELS[name], losses, make_batch)
    if name == "srntt":
        step = dataclasses.replace(step, swap_features=given_maps)
    schedule_of = functools.partial(make_schedule, config.schedule, config.optimizer.learning_rate)
    return make_stage(config, (0, config.steps), schedule_of, step, adversary), adversary


def first_state(name: str, config: Config) -> TrainState:
    """Return the state of both networks before the first step."""
    spec = MODELS[name]
    stage, adversary = parts_of(name, config)
    variables = initial_variables(network_of(config, spec), seed=0)
    beside = start_adversary(config, spec, adversary)
    return create_state(variables, stage.optimizer, beside, seed=0, averaged=False)


def in_jax(name: str, config: Config) -> Callable[[], tuple[float, float]]:
    """Return the call that makes a step on all devices, and returns the generator's and the adversary's loss."""
    places = devices(config.batch_size)
    stage, _ = parts_of(name, config)
    share = config.batch_size // len(places)
    program = dispatch(stage.step, lambda crops, i, _: crops, share=share, looped=False)
    step = compile_steps(program, places, sharded_data=True)
    crops = jax.tree.map(lambda x: shard(x[None], places)[:, 0], crops_of(name, config))
    held = [replicate(first_state(name, config), places)]

    def call() -> tuple[float, float]:
        held[0], metrics = step(held[0], {}, crops, 1)
        return float(metrics["loss"]), float(metrics["adversary_loss"])

    return call


def in_torch(contestant: str, name: str, config: Config) -> Callable[[], tuple[float, float]]:
    """Return the same call in PyTorch; where the critic has a penalty, torch.compile is for the generator alone."""
    spec, state = MODELS[name], first_state(name, config)
    module, batch = network_of(config, spec), batch_of(name, config)
    variables = {"params": state.params, **state.statistics}
    generator = placed(peer(Model(spec, module, config.model.scale, variables)).train())
    weights = {"params": state.adversary.params, **state.adversary.statistics}
    adversary = make_adversary(config)
    assert adversary is not None, "all of CONFIGS have one"
    critic = placed(critic_peer(config.adversarial.network, adversary.network, weights, batch.hr.shape[1:]))
    generator = as_contestant(generator, contestant)
    critic = critic if config.adversarial.penalty else as_contestant(critic, contestant)
    maps: Any = batch.positions if name == "srntt" else ()
    inputs = [planes(to_range(batch.lr, spec.value_range)), *map(planes, maps)]
    duel = Duel(config, generator, critic, places_of(config), spec.value_range)
    hr = planes(2 * batch.hr - 1)
    return lambda: duel.step(hr, inputs)


def batch_of(name: str, config: Config) -> Batch:
    """Return the batch of input and target that the step makes of the crops."""
    keys = jax.random.split(jax.random.key(0), config.batch_size)  # nothing is drawn
    (batch,) = task_of(config).make_batch(config, MODELS[name], crops_of(name, config), keys).values()
    return batch


def places_of(config: Config) -> np.ndarray:
    """Return where between real and fake photos jaxsr's penalty looks in its first steps: (steps, updates, N)."""
    photos, updates = jnp.arange(config.batch_size), jnp.arange(config.adversarial.updates)

    def place(step: jax.Array, update: jax.Array, photo: jax.Array) -> jax.Array:
        key = jax.random.fold_in(seed_key(0, Purpose.TRAINING_STEPS), step)
        key = stream(jax.random.fold_in(key, photo), Stream.PENALTY)
        return jax.random.uniform(jax.random.fold_in(key, update))

    over = jax.vmap(jax.vmap(jax.vmap(place, (None, None, 0)), (None, 0, None)), (0, None, None))
    return np.asarray(over(jnp.arange(PLACES), updates, photos))


def prepare(contestant: str, name: str, patch: int, batch: int, precision: str) -> Callable[[], tuple[float, float]]:
    """Return a contestant's call, for a process of its own."""
    config = config_of(name, patch, batch, precision)
    return in_jax(name, config) if contestant == "jaxsr" else in_torch(contestant, name, config)


def observe(call: Callable[[], tuple[float, float]]) -> np.ndarray:
    """Return both networks' losses of two steps, alike where the steps are."""
    return np.array([call() for _ in range(2)])


TRIAL = Trial(prepare, observe, tolerance=5e-2)  # Adam's first moves are signs of gradients, and rounding turns some


def case(name: str, scale: int, patch: int, batch: int, precision: str) -> Case:
    """Return the row of a system."""
    label = f"{name} x{scale}, {batch} of {patch}x{patch}"
    return Case((label, precision), (name, patch, batch, precision), batch * (scale * patch) ** 2 / 1e6)


def tables(
    *,
    networks: Sequence[str] = tuple(CONFIGS),
    precisions: Sequence[str] = (),
    size: str = "cpu",
    patch: int = 0,
    batch: int = 0,
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the table; patches are measured at the generator's input."""
    sizes = choose("size", size, SIZES_OF)
    cases = [
        case(name, sizes[name].scale, patch or sizes[name].patch, batch or sizes[name].batch, precision)
        for name in networks
        if name in CONFIGS
        for precision in precisions or (PRECISIONS if DEVICE == "cuda" else PRECISIONS[:1])
    ]
    note = "torch.compile has no second derivatives: critics with a gradient penalty stay eager."
    yield table("An adversarial step of both networks", ("network", "precision"), TRIAL, cases, rounds, note)


if __name__ == "__main__":
    run(tables)
