"""Paths of a camera: the ranges that they are drawn from, their pace, and what they refuse."""

import jax
import numpy as np
import pytest

from jaxsr.degradations.camera_paths import draw_paths, draw_shake, trajectories
from jaxsr.support.errors import UserError

KEY = jax.random.key(6)


def test_draws_keep_to_their_ranges():
    drawn = draw_shake(KEY, 400, steps=50)
    ranges = {"anxiety": (0.003, 0.01), "centripetal": (0, 0.7), "jerk": (0, 0.2), "tremor": (0, 10)}
    ranges |= {"angle": (0, 2 * np.pi), "chances": (0, 1), "turns": (-0.5, 0.5)}
    for name, (low, high) in ranges.items():
        x = np.asarray(getattr(drawn, name))
        assert low <= x.min() < low + 0.05 * (high - low) + 1e-6 and high - 0.05 * (high - low) - 1e-6 < x.max() <= high
    assert abs(drawn.noise.real.std() - 1) < 0.02 and abs(drawn.noise.imag.std() - 1) < 0.02
    path = np.asarray(trajectories(drawn, length=30))
    np.testing.assert_allclose(np.abs(np.diff(path, axis=1)), 30 / 49, rtol=1e-4)


def test_no_steps_are_refused():
    with pytest.raises(UserError, match="steps=0 makes no path; use at least 1"):
        draw_paths(KEY, 2, steps=0, jitter=(0.01,), length=12.0)
