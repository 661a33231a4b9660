"""Functions for both kinds of arrays: NumPy on the host (float64, for scores), JAX on the device."""

from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:  # on NumPy arrays, the functions work without importing JAX
    import jax

Array = TypeVar("Array", np.ndarray, "jax.Array")


def namespace(array: "np.ndarray | jax.Array") -> ModuleType:
    """Return numpy for a NumPy `array`, otherwise jax.numpy: the module whose functions return the same kind."""
    if isinstance(array, np.ndarray):
        return np
    import jax.numpy as jnp

    return jnp
