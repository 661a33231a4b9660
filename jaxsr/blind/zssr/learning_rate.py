"""ZSSR's learning rate, which drops when the reconstruction error no longer falls (section 3.2)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

INITIAL_RATE, LOWEST_RATE = 1e-3, 9e-6
DROP = 10  # the rate is divided by this
TEST_EVERY, REVIEW_EVERY = 50, 60  # steps
MIN_STEPS = 256  # at one rate
ERRORS = MIN_STEPS // TEST_EVERY
SLOPE_FACTOR = 1.5  # the error falls where 1.5 times the slope exceeds the slope's standard deviation


class Rates(NamedTuple):
    """The learning `rate`, the step it last `changed` at, and the last `errors` (5,), newest last."""

    rate: jax.Array
    changed: jax.Array
    errors: jax.Array

    @property
    def over(self) -> jax.Array:
        """Whether training is over: the rate has fallen below the lowest."""
        return self.rate < LOWEST_RATE


def initial_rates() -> Rates:
    """Return the rates at the start of training; before `ERRORS` tests there is no drop."""
    return Rates(jnp.float32(INITIAL_RATE), jnp.int32(0), jnp.zeros(ERRORS))


def record(rates: Rates, error: jax.Array) -> Rates:
    """Return `rates` after a test with the mean squared `error`."""
    return rates._replace(errors=jnp.append(rates.errors[1:], error))


def review(rates: Rates, step: jax.Array) -> Rates:
    """Return `rates` after `step` steps: a tenth where the line through the errors does not fall significantly.

    Its slope is significant if it exceeds its standard deviation divided by 1.5. No rate drops before 257 steps.
    """
    slope, deviation = fitted_slope(rates.errors)
    drops = (step - rates.changed > MIN_STEPS) & (-SLOPE_FACTOR * slope < deviation)
    return rates._replace(
        rate=jnp.where(drops, rates.rate / DROP, rates.rate), changed=jnp.where(drops, step, rates.changed)
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
