"""What every loss needs: a check of its arrays, and a square root that can be differentiated at 0."""

import jax
import jax.numpy as jnp

from jaxsr.imaging.arrays import check_are_arrays, floats_of
from jaxsr.support.errors import UserError


def check_arrays(**arrays: jax.Array) -> None:
    """Raise UserError unless the named arrays are floats of one shape.

    Nothing is broadcast silently; levels of 8 bits, whose differences would wrap around, and lists are refused.
    """
    check_are_arrays(**arrays)
    for name, x in arrays.items():
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise UserError(f"a loss needs floats; got {name} of {x.dtype}; {floats_of(x.dtype)}")
    if len({x.shape for x in arrays.values()}) > 1:
        shapes = " and ".join(f"{name} {x.shape}" for name, x in arrays.items())
        raise UserError(f"a loss needs equal shapes; got {shapes}")


def root(squares: jax.Array) -> jax.Array:
    """Return the square root of each element, 0 or more; its derivative at 0 is 0 in place of infinity."""
    positive = squares > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1)), 0)
