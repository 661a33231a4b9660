"""Times a network on a photo against its own convolutions, each alone: how near it is to what XLA can do with them.

The convolutions are those of the network's program, with their shapes; 1x1 ones are matrix products and not counted.
A ratio of 1.1 means that everything else (activations, gates, attention, shuffles) takes a tenth.
python -m benchmarks.convolutions --models=danv1-x2,danv2-x2
"""

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.arguments import check_names
from benchmarks.tables import Measurement, Row, Table, network, run
from benchmarks.timing import contest
from benchmarks.workers import in_new_process
from jaxsr.models import MODELS, Model

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


def times(name: str, side: int, rounds: int) -> list[float]:
    """Return the milliseconds of the network `name`, such as "danv1-x2", of its convolutions, of those of 3x3."""
    base, _, scale = name.partition("-x")
    model = network(base, int(scale))
    photo = np.random.default_rng(0).random((1, side, side, model.channels), np.float32)
    counts = convolutions(jax.make_jaxpr(model.module.apply)(model.variables, photo).jaxpr)
    calls = {"network": whole(model, photo), **{str(key): alone(key) for key in counts}}
    seconds = contest(calls, rounds=rounds)
    parts = {key: count * seconds[str(key)] for key, count in counts.items()}
    total, bare = sum(parts.values()), sum(time for key, time in parts.items() if key[1][:2] == (3, 3))
    return [1000 * time for time in (seconds["network"], total, bare)]


def measure(name: str, side: int, rounds: int) -> Measurement:
    """Return the cells of a network's row."""
    found = in_new_process(times, name, side, rounds)
    return Measurement([*(f"{time:.0f}" for time in found), *(f"{found[0] / time:.2f}" for time in found[1:])])


def rows(models: Sequence[str], side: int, rounds: int) -> Iterator[Row]:
    """Yield a row for each network."""
    for name in models:
        yield Row((name,), functools.partial(measure, name, side, rounds))


def tables(*, models: Sequence[str] = ("danv1-x2", "danv2-x2"), side: int = 96, rounds: int = 5) -> Iterator[Table]:
    """Yield the table of networks on a photo of `side` pixels."""
    check_names("model", models, [f"{name}-x{scale}" for name, spec in MODELS.items() for scale in spec.scales])
    columns = ("network", "network ms", "its convolutions ms", "of 3x3 ms", "network / convolutions", "/ 3x3")
    yield Table(f"Convolutions: a photo of {side}x{side} pixels", columns, rows(models, side, rounds))


if __name__ == "__main__":
    run(tables)
