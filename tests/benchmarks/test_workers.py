"""Processes that measure: what they return, what they hold, and how a limit or a crash ends them."""

import os
import time

import pytest

from benchmarks.timing import contest_of_workers, first_calls
from benchmarks.workers import MeasurementFailed, OverLimit, Worker, limited

pytestmark = pytest.mark.slow  # each starts Python and JAX


def sleeper(seconds):
    return lambda: time.sleep(seconds)


def fail():
    raise ValueError("no such thing")


def crash():
    os._exit(9)


def test_failures_and_crashes_are_told_and_limits_end_the_process():
    with Worker() as worker:
        assert worker.run(abs, -3) == 3
        with pytest.raises(MeasurementFailed, match="ValueError: no such thing"):
            worker.run(fail)
        pid = worker.run(os.getpid)
        with pytest.raises(OverLimit), limited(0.2):
            worker.run(time.sleep, 60)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with Worker() as worker, pytest.raises(MeasurementFailed, match="ended with status 9"):
        worker.run(crash)


def test_contestants_in_processes_take_turns():
    with Worker(as_command=True) as one, Worker() as other:
        one.prepare(sleeper, 0.01)
        other.prepare(sleeper, 0.03)
        assert 0.02 < other.ask(first_calls).seconds < 3
        found = contest_of_workers({"one": one, "other": other}, rounds=3, seconds=0.05)
    assert 1.5 < found["other"] / found["one"] < 4.5
