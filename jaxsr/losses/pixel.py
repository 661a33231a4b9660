"""Losses of pixels, one value for each element, and the ways to reduce them to a number."""

import numbers
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxsr.losses.elementwise import check_arrays
from jaxsr.support.errors import UserError

Loss = Callable[..., jax.Array]  # (output, target) -> elements, in the shape of both
Reduction = Callable[[jax.Array], jax.Array]  # elements (N, ...) -> ()


def mse(output: jax.Array, target: jax.Array) -> jax.Array:
    """Return the squared difference of each element; the mean squared error is its mean.

    Example:
        >>> mse(jnp.zeros((1, 2, 2, 3)), jnp.full((1, 2, 2, 3), 0.5)).mean().item()
        0.25

    Args:
        output: what a network returned, of any shape and range, such as (N, H, W, C) in [0, 1].
        target: what it should have returned, in the same shape and range.

    Returns:
        The elements' losses, 0 or more, in the shape of `output`; not reduced.

    Raises:
        UserError: `output` and `target` differ in shape, or are not floats.
    """
    check_arrays(output=output, target=target)
    return jnp.square(output - target)


def l1(output: jax.Array, target: jax.Array) -> jax.Array:
    """Return the absolute difference of each element; the mean absolute error is its mean.

    Example:
        >>> l1(jnp.zeros((1, 2, 2, 3)), jnp.full((1, 2, 2, 3), 0.5)).mean().item()
        0.5

    Args:
        output: what a network returned, of any shape and range, such as (N, H, W, C) in [0, 1].
        target: what it should have returned, in the same shape and range.

    Returns:
        The elements' losses, 0 or more, in the shape of `output`; not reduced. The derivative where both agree is 0.

    Raises:
        UserError: `output` and `target` differ in shape, or are not floats.
    """
    check_arrays(output=output, target=target)
    difference = output - target
    return jnp.maximum(difference, -difference)  # the derivative of jnp.abs at 0 is 1


def charbonnier(output: jax.Array, target: jax.Array, *, epsilon: float = 1e-3) -> jax.Array:
    """Return sqrt(d² + epsilon²) of each element's difference d: an absolute difference that is smooth at 0.

    Example:
        >>> charbonnier(jnp.zeros(2), jnp.array([0.0, 4.0]), epsilon=3.0).tolist()
        [3.0, 5.0]

    Args:
        output: what a network returned, of any shape and range, such as (N, H, W, C) in [0, 1].
        target: what it should have returned, in the same shape and range.
        epsilon: the loss where both agree, above 0; differences well below it count like squares.

    Returns:
        The elements' losses, `epsilon` or more, in the shape of `output`; not reduced.

    Raises:
        UserError: `output` and `target` differ in shape, or are not floats, or `epsilon` is not above 0.

    Source: Lai et al., "Deep Laplacian Pyramid Networks", CVPR 2017, section 3.2.
    """
    check_arrays(output=output, target=target)
    if isinstance(epsilon, numbers.Real) and not epsilon > 0:  # not where it is traced
        raise UserError(f"epsilon={epsilon} must be above 0; the loss with 0 is jaxsr.losses.l1")
    return jnp.sqrt(jnp.square(output - target) + epsilon**2)


def mean(elements: jax.Array) -> jax.Array:
    """Return the mean over every element: the learning rate does not depend on the patch's size."""
    return jnp.mean(elements)


def half_sum(elements: jax.Array) -> jax.Array:
    """Return half the sum over pixels, averaged over the batch: with `mse`, Caffe's Euclidean loss."""
    return 0.5 * jnp.sum(elements) / elements.shape[0]


def example_sum(elements: jax.Array) -> jax.Array:
    """Return the sum over pixels, averaged over the batch: LapSRN's reduction (section 3.2)."""
    return jnp.sum(elements) / elements.shape[0]


# name -> (loss of each element, reduction)
LOSSES: dict[str, tuple[Loss, Reduction]] = {
    "mse": (mse, mean),
    "l1": (l1, mean),
    "charbonnier": (charbonnier, mean),
    "charbonnier_sum": (charbonnier, example_sum),
    "euclidean": (mse, half_sum),
}
