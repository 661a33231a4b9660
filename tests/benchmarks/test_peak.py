"""What a call is measured against: the machine's products of matrices, the operations of a network."""

import time

import pytest

pytest.importorskip("torch")

import torch

from benchmarks.peak import measured_peak, operations
from benchmarks.trials import COLUMNS, Case, Measured, cells, limited


def test_operations_of_convolutions():
    """Two for each weight and output pixel; the first layer of a training has no gradient by its input."""
    layers = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5, padding=2), torch.nn.ReLU(), torch.nn.Conv2d(8, 4, 3))
    x = torch.zeros(2, 3, 10, 12)
    first, second = (2 * 2 * weights * pixels for weights, pixels in ((3 * 8 * 25, 10 * 12), (8 * 4 * 9, 8 * 10)))
    with torch.inference_mode():
        assert operations(lambda: layers(x)) == first + second
    assert operations(lambda: layers(x).sum().backward()) == 2 * first + 3 * second


def test_the_peak_is_that_of_a_product():
    assert 1e8 < measured_peak(256, 2) < 1e15


def test_a_row_says_what_was_measured():
    seconds = {"jaxsr": 0.01, "eager": 0.02, "compiled": 0.005}
    found = Measured(seconds, {"jaxsr": 1.5, "eager": 0.1, "compiled": 9.0}, 10**9, "")
    row = dict(zip(COLUMNS, cells(Case("a", (), 0.5), found, ["7", "9"], 1e12), strict=True))
    assert row["eager / jaxsr"] == "2.00" and row["compiled / jaxsr"] == "0.50" and row["jaxsr MP/s"] == "50"
    assert row["jaxsr, % of peak"] == "10" and row["PyTorch, % of peak"] == "20"
    del seconds["compiled"]
    failed = cells(Case("a", (), 0.5), found._replace(failure="why"), ["7", "9"], 1e12)
    row = dict(zip(COLUMNS, failed, strict=True))
    assert row["compiled / jaxsr"] == row["torch.compile, s"] == "fails" and row["PyTorch, % of peak"] == "5"


def test_what_takes_too_long_is_given_up():
    with pytest.raises(TimeoutError, match="not done in 1 s"), limited(1):
        time.sleep(5)
