"""A device's batch in parts, one after another, for networks whose activations of all of it exceed the memory."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

Carry = TypeVar("Carry")


def split(batch: Any, parts: int) -> Any:
    """Return the arrays (N, ...) of `batch` as (parts, N / parts, ...)."""
    return jax.tree.map(lambda x: x.reshape(parts, len(x) // parts, *x.shape[1:]), batch)


def joined(batch: Any) -> Any:
    """Return what `split` made whole again."""
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)


def scan_parts(run: Callable[[Carry, Any], tuple[Carry, Any]], carry: Carry, batch: Any, parts: int) -> Any:
    """Return the last carry and the results (parts, ...) of `run(carry, part) -> (carry, result)`."""
    on_cpu = jax.default_backend() == "cpu"  # where convolutions crawl inside loops
    return jax.lax.scan(run, carry, split(batch, parts), unroll=parts if on_cpu else 1)


def mean_of_parts(
    run: Callable[[Carry, Any], tuple[Carry, Any]], carry: Carry, batch: Any, parts: int
) -> tuple[Carry, Any]:
    """Return the last carry and the mean result of `run(carry, part) -> (carry, result)`, kept as one running sum."""
    if parts == 1:
        return run(carry, batch)

    def add(sums: tuple[Carry, Any], part: Any) -> tuple[tuple[Carry, Any], None]:
        carry, result = run(sums[0], part)
        return (carry, jax.tree.map(jnp.add, sums[1], result)), None

    first = jax.tree.map(lambda x: x[0], split(batch, parts))
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(run, carry, first)[1])
    (carry, total), _ = scan_parts(add, (carry, zeros), batch, parts)
    return carry, jax.tree.map(lambda x: x / parts, total)
