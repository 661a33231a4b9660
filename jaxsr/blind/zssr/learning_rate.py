"""ZSSR's learning rate, which falls when the reconstruction error no longer does (section 3.2). Traced state."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

FIRST, LOWEST = 1e-3, 9e-6
FALL = 10
TEST_EVERY, REVIEW_EVERY = 50, 60  # steps
LEAST_STEPS = 256  # at one rate
ERRORS = LEAST_STEPS // TEST_EVERY
STEEP = 1.5  # standard deviations of the slope


class Rates(NamedTuple):
    """The learning `rate`, the step it last `changed` at, and the last `errors` (5,), newest last."""

    rate: jax.Array
    changed: jax.Array
    errors: jax.Array

    @property
    def over(self) -> jax.Array:
        """Whether training is over: the rate has fallen below the lowest."""
        return self.rate < LOWEST


def initial_rates() -> Rates:
    """Return what training begins with; before `ERRORS` tests there is no review."""
    return Rates(jnp.float32(FIRST), jnp.int32(0), jnp.zeros(ERRORS))


def record(rates: Rates, error: jax.Array) -> Rates:
    """Return `rates` after a test with the mean squared `error`."""
    return rates._replace(errors=jnp.append(rates.errors[1:], error))


def review(rates: Rates, step: jax.Array) -> Rates:
    """Return `rates` after `step` steps: a tenth where the line through the errors does not fall clearly.

    Clearly is by more than the standard deviation of its slope, divided by 1.5. No rate falls before 257 steps.
    """
    slope, deviation = fitted_slope(rates.errors)
    falls = (step - rates.changed > LEAST_STEPS) & (-STEEP * slope < deviation)
    return rates._replace(
        rate=jnp.where(falls, rates.rate / FALL, rates.rate), changed=jnp.where(falls, step, rates.changed)
    )


def fitted_slope(errors: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the slope of the least-squares line through `errors` (n,), evenly spaced, and its standard deviation.

    The variance is that of the residuals, with n - 2 degrees of freedom, over the squared distances from the middle.
    """
    count = len(errors)
    places = jnp.arange(count) - (count - 1) / 2
    spread = jnp.sum(places**2)
    centred = errors - errors.mean()
    slope = jnp.sum(places * centred) / spread
    residuals = centred - slope * places
    return slope, jnp.sqrt(jnp.sum(residuals**2) / (count - 2) / spread)
