"""SIGKILL: see killing.py."""

import random

import numpy as np
import pytest

from tests.helpers.killing import BINS, MANY_KILLS, SAVE_EVERY, check_spread, kill_steps, killed_run


@pytest.mark.slow
def test_five_kills_lose_little_and_change_nothing(tmp_path):
    lost = killed_run(tmp_path, times=5, steps=60)
    assert lost and max(lost) <= 2 * SAVE_EVERY


@pytest.mark.parametrize("kills", [14, 34])
def test_kills_are_spread_over_the_run(kills):
    steps = kill_steps(kills, 600, random.Random(kills))
    counts, _ = np.histogram(steps, bins=BINS, range=(0, 600))
    assert steps == sorted(steps) and counts.min() >= kills // BINS and counts.max() <= kills // BINS + 1


def test_a_tenth_without_a_kill_is_an_error(capsys):
    places = [step for step in range(600) if not 60 <= step < 120]
    check_spread(places, 600, MANY_KILLS - 1)
    assert "steps    60 to   120:   0" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="no kill in a tenth of the run: .60, 0, 60"):
        check_spread(places, 600, MANY_KILLS)
