"""What depends on weights alone, computed by NumPy: XLA would compile each such step."""

from collections.abc import Callable, Mapping, Sequence

import jax
import numpy as np
from jax.extend import core

from jaxsr.support.types import Tree

Fold = Callable[[Sequence[np.ndarray], Mapping[str, Tree], core.JaxprEqn], np.ndarray]


def _broadcast(inputs: Sequence[np.ndarray], params: Mapping[str, Tree], equation: core.JaxprEqn) -> np.ndarray:
    (x,), shape, axes = inputs, params["shape"], params["broadcast_dimensions"]
    sides = [x.shape[axes.index(axis)] if axis in axes else 1 for axis in range(len(shape))]
    return np.broadcast_to(x.reshape(sides), shape)


def _slice(inputs: Sequence[np.ndarray], params: Mapping[str, Tree], equation: core.JaxprEqn) -> np.ndarray:
    (x,), steps = inputs, params["strides"] or (None,) * inputs[0].ndim
    bounds = zip(params["start_indices"], params["limit_indices"], steps, strict=True)
    return x[tuple(slice(*each) for each in bounds)]


FOLDS: dict[str, Fold] = {
    "reshape": lambda inputs, params, equation: inputs[0].reshape(params["new_sizes"]),
    "transpose": lambda inputs, params, equation: inputs[0].transpose(params["permutation"]),
    "squeeze": lambda inputs, params, equation: inputs[0].squeeze(tuple(params["dimensions"])),
    "rev": lambda inputs, params, equation: np.flip(inputs[0], tuple(params["dimensions"])),
    "concatenate": lambda inputs, params, equation: np.concatenate(inputs, params["dimension"]),
    "stack": lambda inputs, params, equation: np.stack(inputs, params["axis"]),
    "convert_element_type": lambda inputs, params, equation: inputs[0].astype(params["new_dtype"]),
    "broadcast_in_dim": _broadcast,
    "slice": _slice,
    "add": lambda inputs, params, equation: inputs[0] + inputs[1],
    "sub": lambda inputs, params, equation: inputs[0] - inputs[1],
    "mul": lambda inputs, params, equation: inputs[0] * inputs[1],
    "stop_gradient": lambda inputs, params, equation: inputs[0],
}


def fold(equation: core.JaxprEqn, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the results of `equation` on numbers."""
    name = equation.primitive.name
    if name in FOLDS:
        return [np.asarray(FOLDS[name](inputs, equation.params, equation))]
    with jax.default_matmul_precision("highest"):
        results = equation.primitive.bind(*inputs, **equation.params)
    return [np.asarray(each) for each in (results if equation.primitive.multiple_results else [results])]
