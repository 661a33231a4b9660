"""What is exported of a model: its call on photos of any number, height and width, traced once."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.extend import core
from jax.typing import DTypeLike

from jaxsr.support.types import Tree

SMALLEST = 4  # pixels a side: bicubic reaches two pixels over the border


def smallest_side(minimum: int) -> int:
    """Return the smallest height and width of an exported model whose network takes `minimum`."""
    return max(minimum, SMALLEST)


def photo_shape(
    minimum: int, channels: int, dtype: DTypeLike = jnp.float32, *, multiple: int = 1
) -> jax.ShapeDtypeStruct:
    """Return photos (n, h, w, channels) whose number, height and width are symbols, with a bound below.

    Where height and width are a `multiple` of a number, the symbols stand for the quotients.
    """
    side = -(-smallest_side(minimum) // multiple)
    scope = export.SymbolicScope((f"h >= {side}", f"w >= {side}", "n >= 1"))
    n, h, w = export.symbolic_shape("n,h,w", scope=scope)
    h, w = (multiple * h, multiple * w)
    return jax.ShapeDtypeStruct((n, h, w, channels), dtype)


def trace(
    function: Callable[..., Tree],
    *inputs: jax.ShapeDtypeStruct,
    examples: Sequence[jax.ShapeDtypeStruct | np.ndarray] = (),
) -> core.ClosedJaxpr:
    """Return the program of `function` on `inputs`, of which photos are the first.

    `examples` are inputs whose sizes are numbers: where `function` refuses these too, its error is raised, which names
    the mistake, and not JAX's about symbols.
    """
    try:
        return jax.make_jaxpr(function)(*inputs)
    except jax.errors.InconclusiveDimensionOperation:
        if examples:
            jax.eval_shape(function, *examples)
        raise
