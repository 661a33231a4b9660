"""Which numbers networks compute with. Weights, their gradients, statistics and losses are float32 in any case."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxsr.support.errors import choose
from jaxsr.support.types import Params, Tree

P = ParamSpec("P")
R = TypeVar("R")

PRECISIONS = {"float32": jnp.float32, "bf16": jnp.bfloat16}


def computing_in(precision: str, apply: Callable[..., Tree]) -> Callable[..., Tree]:
    """Return `apply(params, x, ...)`, a network's results as float32, computed in a row of PRECISIONS.

    "bf16" is bfloat16: twice the speed and half the memory on accelerators; it has 8 significant bits, float32 has
    24. Arguments after `x` are passed on as they are. Raises UserError for another name.
    """
    dtype = choose("precision", precision, PRECISIONS)
    if dtype == jnp.float32:
        return apply

    def cast(params: Params, x: jax.Array, *rest: Tree) -> Tree:
        return to_dtype(apply(to_dtype(params, dtype), x.astype(dtype), *rest), jnp.float32)

    return cast


def to_dtype(tree: Tree, dtype: DTypeLike) -> Tree:
    """Return `tree` with its floating-point arrays as `dtype`."""
    return jax.tree.map(lambda x: x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)


def in_32_bits(learn: Callable[P, R]) -> Callable[P, R]:
    """Return `learn`, which trains something, with JAX's usual types also where the caller has set jax_enable_x64.

    There random numbers and constants would be float64, which do not go with float32 weights.
    """

    @functools.wraps(learn)
    def call(*arguments: P.args, **keywords: P.kwargs) -> R:
        with jax.enable_x64(False):
            return learn(*arguments, **keywords)

    return call
