"""Processes that measure: what they return, what they hold, and how a limit or a crash ends them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.tables import Row, made_ready
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


def after_much_memory():
    bytearray(2**29)
    return bytes


def test_memory_that_was_freed_before_the_calls_is_not_theirs():
    with Worker() as worker:
        worker.prepare(after_much_memory)
        assert worker.ask(first_calls).mebibytes < 100


def say_and_sleep():
    print(os.getpid(), flush=True)
    time.sleep(300)


def sleep_in_a_worker():
    with Worker() as worker:
        worker.run(say_and_sleep)


def sleep_ahead():
    def make_ready(stack):
        stack.enter_context(Worker()).run(say_and_sleep)

    list(made_ready([Row(("row",), sleep_in_a_worker, make_ready)], bool, float("inf"), 2))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("work", [sleep_in_a_worker, sleep_ahead])
def test_the_processes_of_a_command_end_with_it_at_once(work, number):
    program = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # pytest's own processes ignore it
        "from benchmarks import workers\n"
        "workers.SECONDS_TO_END = 60\n"  # as a wait for a busy process would show
        f"from {__name__} import {work.__name__} as work\n"
        "if __name__ == '__main__':\n"
        "    work()\n"
    )
    command, root = [sys.executable, "-c", program], Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as ours:
        worker = int(ours.stdout.readline())
        ours.send_signal(number)
        began = time.monotonic()
        ours.wait(60)
        while Path(f"/proc/{worker}").exists() and time.monotonic() - began < 40:
            time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists(), os.kill(worker, signal.SIGKILL)
    assert time.monotonic() - began < 40
