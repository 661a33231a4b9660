"""Times a network on a photo against its own convolutions, each alone: how near it is to what XLA can do with them.

The convolutions are those of the network's program, with their shapes; 1x1 ones are matrix products and not counted.
A ratio of 1.1 means that everything else (activations, gates, attention, shuffles) takes a tenth.
python -m benchmarks.convolutions --networks=danv1,danv2
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from benchmarks.tables import network
from benchmarks.timing import contest, machine
from jaxsr.models import Model
from jaxsr.support import app

_MODELS = flags.DEFINE_list("models", ["danv1-x2", "danv2-x2"], "networks with their scales")
_SIDE = flags.DEFINE_integer("side", 96, "side of the small photo, in pixels", lower_bound=16)
_TURNS = flags.DEFINE_integer("turns", 5, "turns of each", lower_bound=1)

Call = Callable[[], Any]
Key = tuple[tuple[int, ...], tuple[int, ...], Any, Any]  # shapes of photo and kernel, strides, padding


def convolutions(jaxpr: Any, times: int = 1) -> Counter[Key]:
    """Return how often each convolution of a program runs."""
    found: Counter[Key] = Counter()
    for equation in jaxpr.eqns:
        facts = equation.params
        if equation.primitive.name == "conv_general_dilated":
            shapes = [variable.aval.shape for variable in equation.invars]
            found[(*shapes, facts["window_strides"], facts["padding"])] += times
        inner = facts["branches"][:1] if equation.primitive.name == "cond" else facts.values()  # the CPU's comes first
        for program in inner:
            program = getattr(program, "jaxpr", program)
            if hasattr(program, "eqns"):
                found += convolutions(program, times * facts.get("length", 1))
    return found


def alone(key: Key) -> Call:
    """Return the call of one convolution, compiled by itself."""
    x, kernel, strides, padding = key
    arrays = [jnp.asarray(np.random.default_rng(0).random(shape), jnp.float32) for shape in (x, kernel)]
    layout = ("NHWC", "HWIO", "NHWC")
    run = jax.jit(lambda x, k: jax.lax.conv_general_dilated(x, k, strides, padding, dimension_numbers=layout))
    return lambda: jax.block_until_ready(run(*arrays))


def whole(model: Model, photo: np.ndarray) -> Call:
    """Return the call of the network on `photo` (1, h, w, C)."""
    run, variables = jax.jit(model.module.apply), jax.device_put(model.variables)
    return lambda: jax.block_until_ready(run(variables, photo))


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    side = _SIDE.value
    print(f"{machine()}; a photo of {side}x{side} pixels")
    print("| network | network ms | its convolutions ms | of 3x3 ms | network / convolutions | / 3x3 |")
    print("|---|---|---|---|---|---|")
    for name in _MODELS.value:
        base, _, scale = name.partition("-x")
        model = network(base, int(scale))
        photo = np.random.default_rng(0).random((1, side, side, model.channels), np.float32)
        counts = convolutions(jax.make_jaxpr(model.module.apply)(model.variables, photo).jaxpr)
        calls = {"network": whole(model, photo), **{str(key): alone(key) for key in counts}}
        seconds = contest(calls, rounds=_TURNS.value)
        parts = {key: count * seconds[str(key)] for key, count in counts.items()}
        total, bare = sum(parts.values()), sum(time for key, time in parts.items() if key[1][:2] == (3, 3))
        times = [1000 * time for time in (seconds["network"], total, bare)]
        cells = [*(f"{time:.0f}" for time in times), *(f"{times[0] / time:.2f}" for time in times[1:])]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    app.run(main)
