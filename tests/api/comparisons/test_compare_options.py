"""Options of comparing: what is refused when they are made."""

import numpy as np
import pytest

from jaxsr.api.comparisons.compare_options import CompareOptions
from jaxsr.support.errors import UserError


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"at": 5}, r"at=5 is not a sequence of numbers; write for example at=\(0.5, 0.5\)"),
        ({"at": None}, "at=None is not a sequence of numbers"),
        ({"at": ("a", "b")}, r"at=\('a', 'b'\) is not a sequence of numbers"),
        ({"at": (0.5,)}, "use two parts from 0 to 1"),
        ({"at": (0.5, float("nan"))}, "use two parts from 0 to 1"),
        ({"side": "64"}, "side='64' is not a side length of a picture; use 64 to 8192 pixels"),
        ({"side": 100.5}, "side=100.5 is not a side length"),
        ({"side": None}, "side=None is not a side length"),
        ({"side": 63}, "side=63 is not a side length"),
        ({"reference": "near.png"}, r"reference='near.png' is not a list or tuple; write reference=\['near.png'\]"),
        ({"reference": 5}, "reference=5 is not a list or tuple"),
        ({"engine": 5}, "engine"),
        ({"protocol": ["y"]}, "unknown protocol"),
        ({"precision": 16}, "unknown precision 16"),
    ],
)
def test_values_of_the_wrong_kind(fields, message):
    with pytest.raises(UserError, match=message):
        CompareOptions(**fields)


def test_numbers_of_numpy_serve():
    assert CompareOptions(side=np.int64(64), at=np.array([0.0, 1.0])).side == 64  # pyright: ignore
