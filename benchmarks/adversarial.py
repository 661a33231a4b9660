"""Times a step of adversarial training, both networks updated, against the same step in PyTorch, eager and compiled.

jaxsr's is the step of `jaxsr.train` by the paper's config, small photos made in it; PyTorch gets these ready made.
Features of VGG19 and dropout are left out on both sides, and SRNTT's maps are ready made.
pip install -e ".[bench]" && python -m benchmarks.adversarial
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.cases import SIZES
from benchmarks.peers import critic_peer, peer
from benchmarks.peers.accelerator import placed, planes
from benchmarks.peers.adversarial import Duel
from benchmarks.tables import Table, run
from benchmarks.trials import Case, Trial, table
from configs import deblurgan, srgan, srntt
from jaxsr.devices.parallel import compile_steps, devices, replicate, shard
from jaxsr.imaging.color import to_range
from jaxsr.models import MODELS, Model
from jaxsr.models.srntt import Maps, map_sizes
from jaxsr.training.config import Config
from jaxsr.training.critic import make_critic
from jaxsr.training.objectives import make_objective
from jaxsr.training.pairs import Crops, GuidedCrops, Pair, crop_size, make_pairs
from jaxsr.training.stages import first_critic, make_stages
from jaxsr.training.state import TrainState, create_state, initial_variables
from jaxsr.training.steps import dispatch
from jaxsr.training.terms import Terms, make_terms

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


def crops_of(name: str, config: Config) -> Any:
    """Return random crops of a batch, as the feed draws them; SRNTT's have maps in the place of matches."""
    rng = np.random.default_rng(0)
    side = crop_size(config, MODELS[name])
    sharp, other = rng.integers(0, 256, (2, config.batch_size, side, side, 3), np.uint8)
    if name == "deblurgan":
        return Crops(sharp, blurred=other)  # type: ignore[arg-type]
    if name == "srgan":
        return sharp
    small = side // config.model.scale
    maps = Maps(*(rng.random((config.batch_size, *size), np.float32) for size in map_sizes(small, small)))
    return GuidedCrops(sharp, other, maps, np.zeros(config.batch_size, np.float32))  # type: ignore[arg-type]


def terms_of(name: str, config: Config) -> Terms:
    """Return the terms of the loss, none of which has features; SRNTT's maps are those of the crops."""

    def given(constants: Any, pair: Pair, keys: jax.Array) -> Maps:
        return pair.places  # type: ignore[return-value]

    config = config.copy_and_resolve_references()
    config.data.references = ""  # which would ask for VGG19
    terms = make_terms(config, MODELS[name])
    return terms._replace(maps=given) if name == "srntt" else terms


def first_state(name: str, config: Config) -> TrainState:
    """Return the state of both networks before the first step."""
    spec = MODELS[name]
    variables = initial_variables(spec.module(config.model.scale, **config.model.options.to_dict()), seed=0)
    critic = make_critic(config)
    opponent = first_critic(config, spec, critic)
    (stage,) = make_stages(config, spec, make_objective(config), terms_of(name, config), critic)
    return create_state(variables, stage.optimizer, opponent, seed=0, averaged=False)


def in_jax(name: str, config: Config) -> Callable[[], tuple[float, float]]:
    """Return the call that makes a step on all devices, and returns the generator's and the critic's loss."""
    spec, places = MODELS[name], devices(config.batch_size)
    (stage,) = make_stages(config, spec, make_objective(config), terms_of(name, config), make_critic(config))
    share = config.batch_size // len(places)
    program = dispatch(stage.step, lambda crops, i, _: crops, share=share, looped=False)
    step = compile_steps(program, places, sharded_data=True)
    crops = jax.tree.map(lambda x: shard(x[None], places)[:, 0], crops_of(name, config))
    held = [replicate(first_state(name, config), places)]

    def call() -> tuple[float, float]:
        held[0], metrics = step(held[0], {}, crops, 1)
        return float(metrics["loss"]), float(metrics["critic_loss"])

    return call


def in_torch(name: str, config: Config, *, compiled: bool) -> Callable[[], tuple[float, float]]:
    """Return the same call in PyTorch; where the critic has a penalty, torch.compile is for the generator alone."""
    spec, state = MODELS[name], first_state(name, config)
    module = spec.module(config.model.scale, **config.model.options.to_dict())
    pair = pair_of(name, config)
    variables = {"params": state.params, **state.statistics}
    generator = placed(peer(Model(spec, module, config.model.scale, variables)).train())
    weights = {"params": state.critic.params, **state.critic.statistics}
    opponent = make_critic(config)
    assert opponent is not None, "all of CONFIGS have one"
    critic = placed(critic_peer(config.adversarial.network, opponent.network, weights, pair.sharp.shape[1:]))
    if compiled:
        generator = torch.compile(generator)
        critic = critic if config.adversarial.penalty else torch.compile(critic)
    maps: Any = pair.places if name == "srntt" else ()
    inputs = [planes(to_range(pair.small, spec.value_range)), *map(planes, maps)]
    duel = Duel(config, generator, critic, places_of(config), spec.value_range)
    sharp = planes(2 * pair.sharp - 1)
    return lambda: duel.step(sharp, inputs)


def pair_of(name: str, config: Config) -> Pair:
    """Return the pair of input and target that the step makes of the crops."""
    keys = jax.random.split(jax.random.key(0), config.batch_size)  # nothing is drawn
    (pair,) = make_pairs(crops_of(name, config), keys, config, MODELS[name], 3).values()
    return pair


def places_of(config: Config) -> np.ndarray:
    """Return where between real and fake photos jaxsr's penalty looks in its first steps: (steps, updates, N)."""
    photos, updates = jnp.arange(config.batch_size), jnp.arange(config.adversarial.updates)

    def place(step: jax.Array, update: jax.Array, photo: jax.Array) -> jax.Array:
        key = jax.random.fold_in(jax.random.key(0), step)
        for number in (photo, 9, update):
            key = jax.random.fold_in(key, number)
        return jax.random.uniform(key)

    over = jax.vmap(jax.vmap(jax.vmap(place, (None, None, 0)), (None, 0, None)), (0, None, None))
    return np.asarray(over(jnp.arange(PLACES), updates, photos))


def prepare(contestant: str, name: str, patch: int, batch: int, precision: str) -> Callable[[], tuple[float, float]]:
    """Return a contestant's call, for a process of its own."""
    config = config_of(name, patch, batch, precision)
    return in_jax(name, config) if contestant == "jaxsr" else in_torch(name, config, compiled=contestant == "compiled")


def observe(call: Callable[[], tuple[float, float]]) -> np.ndarray:
    """Return both networks' losses of two steps, alike where the steps are."""
    return np.array([call() for _ in range(2)])


TRIAL = Trial(prepare, observe, tolerance=5e-2)  # Adam's first moves are signs of gradients, and rounding turns some


def tables(
    *,
    networks: Sequence[str] = tuple(CONFIGS),
    patch: int = 0,
    batch: int = 0,
    precision: str = "float32",
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the table; patches are measured at the generator's input."""
    cases = []
    for name in (name for name in networks if name in CONFIGS):
        size = SIZES[name]
        arguments = (name, patch or size.patch, batch or size.batch, precision)
        label = f"{name} x{size.scale}, {arguments[2]} of {arguments[1]}x{arguments[1]}"
        cases.append(Case(label, arguments, arguments[2] * (size.scale * arguments[1]) ** 2 / 1e6))
    note = "torch.compile has no second derivatives: critics with a gradient penalty stay eager."
    yield table("An adversarial step of both networks", TRIAL, cases, rounds, note)


if __name__ == "__main__":
    run(tables)
