"""Prints what the compiler says that a training step of the deep networks holds, with and without an option of theirs.

That is rematerialisation for those with recursions or many blocks, and for DAN learning through all rounds.
python -m benchmarks.memory
"""

import functools
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp

from benchmarks.arguments import check_names
from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.workers import in_new_process
from jaxsr.models import MODELS, initial_shapes, restored_image

OPTIONS = {"drcn": "remat", "rdn": "remat", "danv1": "backpropagate_all", "danv2": "backpropagate_all"}


def temporary_bytes(name: str, scale: int, batch: int, patch: int, **options: bool) -> int:
    """Return the bytes beside weights and patches that the gradient of the squared error needs at its peak."""
    module = MODELS[name].module(scale, **options)
    variables = initial_shapes(module)
    small = jax.ShapeDtypeStruct((batch, patch, patch, module.channels), jnp.float32)
    sharp = restored_image(jax.eval_shape(module.apply, variables, small))

    def loss(params, others, small, sharp):
        return jnp.mean(jnp.square(restored_image(module.apply({**others, "params": params}, small)) - sharp))

    params = variables.pop("params")
    analysis = jax.jit(jax.grad(loss)).lower(params, variables, small, sharp).compile().memory_analysis()
    assert analysis is not None, "this backend tells no memory"
    return analysis.temp_size_in_bytes


def both_sizes(name: str, batch: int, patch: int) -> list[int]:
    """Return the `temporary_bytes` of a network at x2 without its option and with it."""
    return [temporary_bytes(name, 2, batch, patch, **{OPTIONS[name]: on}) for on in (False, True)]


def measure(name: str, batch: int, patch: int) -> Measurement:
    """Return the cells of a network's row."""
    return Measurement([f"{size / 2**30:.2f}" for size in in_new_process(both_sizes, name, batch, patch)])


def rows(networks: Sequence[str], batch: int, patch: int) -> Iterator[Row]:
    """Yield a row for each network with such an option."""
    for name in networks:
        yield Row((f"{name} x2", f"`{OPTIONS[name]}`"), functools.partial(measure, name, batch, patch))


def tables(*, networks: Sequence[str] = tuple(OPTIONS), batch: int = 64, patch: int = 41) -> Iterator[Table]:
    """Yield the table of steps on `batch` patches of `patch` pixels a side, at the network's input."""
    check_names("network", networks, OPTIONS)
    title = f"Memory of a training step: {batch} patches of {patch}x{patch} pixels, x2, by the compiler"
    yield Table(title, ("network", "option", "without, GiB", "with, GiB"), rows(networks, batch, patch))


if __name__ == "__main__":
    run(tables)
