"""Times a step of adversarial training, both networks updated, against the same step in PyTorch, eager and compiled.

jaxsr's is the step of `jaxsr.train` by the paper's config, small photos made in it; PyTorch gets these ready made.
Features of VGG19 and dropout are left out on both sides, and SRNTT's maps are ready made.
pip install -e ".[bench]" && python -m benchmarks.adversarial
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from benchmarks.adversarial_steps import CONFIGS, batch_of, config_of, crops_of, first_state, parts_of, places_of
from benchmarks.arguments import check_names
from benchmarks.cases import SIZES, SIZES_OF
from benchmarks.peers import critic_peer, peer
from benchmarks.peers.accelerator import as_contestant, placed, planes, step_precisions
from benchmarks.peers.adversarial import Duel
from benchmarks.tables import Table, run
from benchmarks.trials import Case, Trial, table
from jaxsr.devices.parallel import compile_steps, devices, replicate, shard
from jaxsr.imaging.color import to_range
from jaxsr.models import MODELS, Model
from jaxsr.support.errors import choose
from jaxsr.training.config import Config, network_of
from jaxsr.training.steps.adversary import make_adversary
from jaxsr.training.steps.dispatch import dispatch


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
    check_names("network", networks, SIZES)
    cases = [
        case(name, sizes[name].scale, patch or sizes[name].patch, batch or sizes[name].batch, precision)
        for name in networks
        if name in CONFIGS
        for precision in step_precisions(precisions)
    ]
    note = "torch.compile has no second derivatives: critics with a gradient penalty stay eager."
    yield table("An adversarial step of both networks", ("network", "precision"), TRIAL, cases, rounds, note)


if __name__ == "__main__":
    run(tables)
