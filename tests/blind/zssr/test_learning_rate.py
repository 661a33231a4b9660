"""The learning rate's rule, against the rule replayed with polyfit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.blind.zssr import learning_rate as rates
from tests.reference import zssr as reference

RNG = np.random.default_rng(5)
NOISE = 1 + 0.05 * RNG.normal(size=60)
ERRORS = {
    "noisy fall": 1e-3 * np.exp(-np.arange(60) / 20) * NOISE,
    "steady fall": 1e-3 - 1e-5 * np.arange(60),
    "rise": 1e-3 + 1e-6 * np.arange(60) * NOISE,
    "noise": 1e-3 * NOISE,
}


def replay(errors):
    """Return the learning rate after each step, until training is over."""
    record, review = jax.jit(rates.record), jax.jit(rates.review)
    state, history = rates.initial_rates(), []
    for step in range(1, 3001):
        if step % rates.TEST_EVERY == 0:
            state = record(state, jnp.float32(errors[step // rates.TEST_EVERY - 1]))
        if step % rates.REVIEW_EVERY == 0:
            state = review(state, step)
        history.append(float(state.rate))
        if state.over:
            break
    return history


@pytest.mark.parametrize("case", ERRORS)
def test_rates_are_those_of_the_rule(case):
    expected = reference.rates(list(ERRORS[case]))
    np.testing.assert_allclose(replay(ERRORS[case]), expected, rtol=1e-5)
    assert len(expected) == {"steady fall": 3000, "rise": 900}.get(case, len(expected))


def test_a_line_and_its_deviation():
    errors = RNG.random(5)
    (slope, _), covariance = np.polyfit(np.arange(5), errors, 1, cov=True)
    fitted = jax.jit(rates.fitted_slope)(jnp.float32(errors))
    np.testing.assert_allclose(fitted, [slope, np.sqrt(covariance[0, 0])], rtol=1e-5)
