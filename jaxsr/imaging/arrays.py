"""One function for both kinds of arrays: NumPy on the host (float64, for scores), JAX on the device."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

Array = TypeVar("Array", np.ndarray, jax.Array)


def namespace(array: Any) -> Any:
    """Return the module, numpy or jax.numpy, whose functions take `array` and give its kind back."""
    return np if isinstance(array, np.ndarray) else jnp
