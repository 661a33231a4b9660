"""Tests of what conftest.py does around every test."""

import numpy as np
import pytest

RNG = np.random.default_rng(1)
FIRST = np.random.default_rng(1).random()


@pytest.mark.parametrize("run", ["first", "second"])
def test_a_test_draws_the_same_numbers_in_any_order(run):
    assert RNG.random() == FIRST


@pytest.fixture
def drawn():
    return RNG.random()


def test_fixtures_draw_from_the_start_too(drawn):
    assert drawn == FIRST
