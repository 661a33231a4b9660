"""What the contestants of `benchmarks.adversarial` share: configs, crops, the step of jaxsr, and its first state."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from configs import deblurgan, srgan, srntt
from jaxsr.models import MODELS
from jaxsr.models.srntt import Maps, map_sizes
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
