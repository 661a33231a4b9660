"""Scores as text: one line for each photo, whatever its file is called."""

import numpy as np

from jaxsr.evaluation.naturalness import Naturalness
from jaxsr.evaluation.pairs import make_pair
from jaxsr.evaluation.score_tables import table
from jaxsr.evaluation.scores import score
from jaxsr.weights import load
from tests.helpers.photos import photo


def test_names_with_control_characters_take_one_line():
    pairs = [make_pair("a\nb\udcff", np.asarray(photo(24, 24)), 2)]
    lines = table(score(load("bicubic", scale=2), pairs)["y8"], asked=1).splitlines()
    assert lines[1].startswith("a\\nb\\udcff  ") and lines[2].startswith("mean of 1    ")
    assert Naturalness({"a\nb": 3.0}, []).table().splitlines()[1] == "a\\nb         3.00"
