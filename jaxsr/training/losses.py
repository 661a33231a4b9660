"""Losses per element; the step averages them. Keyword-only, equal shapes, no silent broadcasting."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxsr.support.errors import UserError


def mse(*, output: jax.Array, target: jax.Array) -> jax.Array:
    """Return the squared difference of each element."""
    _check_shapes(output, target)
    return jnp.square(output - target)


def l1(*, output: jax.Array, target: jax.Array) -> jax.Array:
    """Return the absolute difference of each element."""
    _check_shapes(output, target)
    difference = output - target
    return jnp.maximum(difference, -difference)  # its derivative where images agree is 0; that of jnp.abs is 1


def charbonnier(*, output: jax.Array, target: jax.Array, epsilon: float = 1e-3) -> jax.Array:
    """Return sqrt(d² + epsilon²) of each element's difference d (LapSRN, equation 4); smooth at 0."""
    _check_shapes(output, target)
    return jnp.sqrt(jnp.square(output - target) + epsilon**2)


def mean(elements: jax.Array) -> jax.Array:
    """Return the mean over every element: the learning rate does not depend on the patch's size."""
    return jnp.mean(elements)


def half_sum(elements: jax.Array) -> jax.Array:
    """Return half the sum over pixels, averaged over the batch: Caffe's Euclidean loss of squared elements."""
    return 0.5 * jnp.sum(elements) / elements.shape[0]


def example_sum(elements: jax.Array) -> jax.Array:
    """Return the sum over pixels, averaged over the batch: LapSRN's (equation 4)."""
    return jnp.sum(elements) / elements.shape[0]


# name -> (loss per element, reduction)
LOSSES: dict[str, tuple[Callable[..., jax.Array], Callable[[jax.Array], jax.Array]]] = {
    "mse": (mse, mean),
    "l1": (l1, mean),
    "charbonnier": (charbonnier, mean),
    "charbonnier_sum": (charbonnier, example_sum),
    "euclidean": (mse, half_sum),
}


def _check_shapes(output: jax.Array, target: jax.Array) -> None:
    if output.shape != target.shape:
        raise UserError(f"a loss needs equal shapes; got output {output.shape} and target {target.shape}")
