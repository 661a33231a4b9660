"""What a call is measured against: the machine's products of matrices, the operations of a network."""

from contextlib import ExitStack

import pytest

pytest.importorskip("torch")

import numpy as np
import torch

from benchmarks import inference, trials
from benchmarks.peak import measured_peak, operations
from benchmarks.timing import FirstCalls
from benchmarks.trials import Case, Measured, Trial, agrees, cells, columns


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


SECONDS = {"jaxsr": 0.01, "eager": 0.02, "compiled": 0.005}
FIRST = {"jaxsr": FirstCalls(1.5, 0.01, 7), "eager": FirstCalls(0.1, 0.02, 9), "compiled": FirstCalls(9.0, 0.005, 5)}
CASE = Case(("a", "float32"), (), 0.5)
TRIAL = Trial(lambda: lambda: None, lambda call: np.zeros(1), tolerance=1e-4)


@pytest.fixture(autouse=True)
def on_a_cpu(monkeypatch):
    monkeypatch.setattr(trials, "PEERS", ("eager", "compiled"))


def test_a_row_says_what_was_measured():
    found = Measured(SECONDS, FIRST, {"jaxsr": 2e-6, "eager": 0.0, "compiled": 0.0}, {}, 10**9)
    measurement = cells(CASE, found, TRIAL, 1e12)
    row = dict(zip(columns(), measurement.cells, strict=True))
    assert measurement.note == "" and row["error"] == "2e-06" and row["peak, GFLOP/s"] == "1000"
    assert (
        row["eager / jaxsr"] == "2.00" and row["compiled / jaxsr"] == "0.50" and row["best PyTorch / jaxsr"] == "0.50"
    )
    assert row["jaxsr, % of peak"] == "10" and row["PyTorch, % of peak"] == "20" and row["jaxsr MP/s"] == "50"
    assert row["jaxsr MiB"] == "7" and row["eager MiB"] == "9" and row["compiled compiles, s"] == "9.0"


def test_a_contestant_that_fails_and_one_that_differs_are_marked():
    seconds = {"jaxsr": 0.01, "eager": 0.02}
    found = Measured(seconds, FIRST, {"jaxsr": 0.3, "eager": 0.0}, {"compiled": "why"}, 10**9)
    measurement = cells(CASE, found, TRIAL, 1e12)
    row = dict(zip(columns(), measurement.cells, strict=True))
    assert row["compiled / jaxsr"] == row["compiled compiles, s"] == "fails" and row["PyTorch, % of peak"] == "5"
    assert row["error"] == "**3e-01**" and row["jaxsr ms"] == "10.0"
    assert measurement.note == "a, float32: jaxsr differs from eager by 3.0e-01; compiled fails (why)."


@pytest.mark.slow
def test_a_row_of_processes():
    """Its three contestants, the third of which may lack a compiler."""
    case = inference.case("fsrcnn", 2, (1, 16, 16), "xla", "float32")
    with ExitStack() as stack:
        found = trials.timed(trials.started(inference.TRIAL, case, stack), 1)
    assert agrees(inference.TRIAL, found.errors["jaxsr"], "float32") and found.operations > 0
    assert set(found.seconds) | set(found.failures) == {"jaxsr", "eager", "compiled"}
    assert all(seconds > 0 for seconds in found.seconds.values())
