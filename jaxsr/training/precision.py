"""Which numbers networks compute with. Weights, their gradients, statistics and losses are float32 in any case."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxsr.support.errors import choose

PRECISIONS = {"float32": jnp.float32, "bf16": jnp.bfloat16}


def computing_in(precision: str, apply: Callable[..., Any]) -> Callable[..., Any]:
    """Return `apply(params, x, ...)`, a network's results as float32, computed in a row of PRECISIONS.

    In "bf16" accelerators have twice the speed and half the memory; a number keeps 8 of its 24 bits.
    """
    dtype = choose("precision", precision, PRECISIONS)
    if dtype == jnp.float32:
        return apply

    def cast(params: Any, x: jax.Array, *rest: Any) -> Any:
        return to_dtype(apply(to_dtype(params, dtype), x.astype(dtype), *rest), jnp.float32)

    return cast


def to_dtype(tree: Any, dtype: Any) -> Any:
    """Return `tree` with its floating-point arrays as `dtype`."""
    return jax.tree.map(lambda x: x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)
