"""SIGKILL: see killing.py."""

import pytest

from tests.helpers.killing import SAVE_EVERY, killed_run


@pytest.mark.slow
def test_five_kills_lose_little_and_change_nothing(tmp_path):
    lost = killed_run(tmp_path, times=5, steps=60)
    assert lost and max(lost) <= 2 * SAVE_EVERY
