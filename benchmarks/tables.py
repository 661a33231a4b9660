"""The table that every benchmark prints: one row per network and scale, jaxsr against its peer."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from absl import flags

from benchmarks.peers import PEERS
from benchmarks.timing import Prepare, contest, in_new_process, machine, peak_memory
from jaxsr.models import MODELS, Model

_NETWORKS = flags.DEFINE_list("networks", list(PEERS), "networks to time")
_SCALES = flags.DEFINE_list("scales", ["2", "3", "4"], "scales to time, of those that a network has")
_ROUNDS = flags.DEFINE_integer("rounds", 15, "turns of each contestant", lower_bound=1)

CONTESTANTS = ("jaxsr", "PyTorch")
HEADER = """| network | jaxsr ms | PyTorch ms | PyTorch / jaxsr | jaxsr MiB | PyTorch MiB |
|---|---|---|---|---|---|"""


def network(name: str, scale: int) -> Model:
    """Return a network with random weights; speed does not depend on them."""
    spec = MODELS[name]
    module = spec.module(scale)
    variables = jax.jit(module.init)(jax.random.key(0), np.zeros((1, 32, 32, module.channels), np.float32))
    return Model(spec, module, scale, variables)


def print_table(title: str, prepare: Prepare, settings: Sequence[Any], compare: Callable[..., None]) -> None:
    """Print the machine, `title` and the table.

    `prepare(contestant, network, scale, *settings)` gives the call to time, of "jaxsr" or "PyTorch";
    `compare(ours, theirs)` checks first that both calls give the same result.
    """
    print(f"{machine()}; {title}\n{HEADER}")
    for name, scale in itertools.product(_NETWORKS.value, map(int, _SCALES.value)):
        if scale not in MODELS[name].scales:
            continue
        arguments = (name, scale, *settings)
        ours, theirs = in_new_process(_times, prepare, arguments, compare, _ROUNDS.value)
        memory = [f"{peak_memory(prepare, contestant, *arguments):.0f}" for contestant in CONTESTANTS]
        cells = [f"{ours * 1000:.1f}", f"{theirs * 1000:.1f}", f"{theirs / ours:.2f}", *memory]
        print(f"| {name} x{scale} | {' | '.join(cells)} |", flush=True)


def _times(prepare: Prepare, arguments: tuple, compare: Callable[..., None], rounds: int) -> list[float]:
    calls = {contestant: prepare(contestant, *arguments) for contestant in CONTESTANTS}
    compare(*calls.values())
    return list(contest(calls, rounds=rounds).values())
