"""Functions for both kinds of arrays: NumPy on the host (float64, for scores), JAX on the device."""

from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from jaxsr.support.errors import UserError, brief

if TYPE_CHECKING:  # on NumPy arrays, the functions work without importing JAX
    import jax

Array = TypeVar("Array", np.ndarray, "jax.Array")


def namespace(array: "np.ndarray | jax.Array") -> ModuleType:
    """Return numpy for a NumPy `array`, otherwise jax.numpy: the module whose functions return the same kind."""
    if isinstance(array, np.ndarray):
        return np
    import jax.numpy as jnp

    return jnp


def check_are_arrays(**values: object) -> None:
    """Raise UserError unless the named values are arrays of NumPy or JAX: lists and texts have no shape and no type."""
    import jax

    for name, value in values.items():
        if not isinstance(value, np.ndarray | np.generic | jax.Array):
            raise UserError(
                f"{name} is of type {type(value).__name__}, not an array of NumPy or JAX; "
                "make one of numbers: np.asarray(..., np.float32), and divide levels of 8 bits by 255"
            )


def floats_of(dtype: np.dtype) -> str:
    """Return how floats in [0, 1] are made of levels of `dtype`, for the messages of what takes floats alone."""
    if np.issubdtype(dtype, np.unsignedinteger):
        return f"divide by the level of white, {np.iinfo(dtype).max}"
    return "make float32 of it, 0 for black and 1 for white"


def check_range(photo: np.ndarray) -> None:
    """Raise UserError unless the floats of `photo` are finite and lie in [0, 1]."""
    if not np.isfinite(photo).all():
        raise UserError(
            "a photo holds values that are not finite (NaN or infinity); replace them, or fix what made them"
        )
    least, most = photo.min(), photo.max()
    if not (least >= 0 and most <= 1):
        raise UserError(
            f"float photos lie in [0, 1]; got [{least:g}, {most:g}]; divide by the level of white, such as 255, or "
            "where they only overshoot, clip them: np.clip(photo, 0, 1)"
        )


def check_batch(photos: "np.ndarray | jax.Array") -> None:
    """Raise UserError unless `photos` has the shape (N, H, W, C), with pixels; a file's name has none."""
    shape = np.shape(photos)
    if len(shape) != 4:
        raise UserError(
            f"photos have the shape (N, H, W, C); got {shape or brief(photos)}; give a single one as photo[None]"
        )
    if 0 in shape[1:]:
        raise UserError(f"photos of shape {shape} have no pixels; give ones of 1x1x1 or more")
