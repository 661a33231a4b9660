"""What is said of how time and memory grow."""

import pytest

pytest.importorskip("torch")

from benchmarks.growth import conclude


def test_the_power_and_where_it_is_worse():
    cells = [["x", str(n), f"{t:.3g}", "", f"{m:.3g}", ""] for n, t, m in ((1, 1, 10), (10, 10, 10), (100, 200, 10))]
    cells.append(["x", "1000", "failed", "", "", ""])
    assert conclude(cells) == ["x: time grows with the power 1.15, memory with 0.00; worse than linear from 100 on."]
    assert conclude(cells[:1]) == []
