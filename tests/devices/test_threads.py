"""Work in threads: in order, a few at a time, and nothing left running."""

import threading
import time

import pytest

from jaxsr.devices.threads import in_threads


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    def work(item):
        time.sleep(0.01 * (item % 2))
        return item * item

    assert list(in_threads(work, range(7), workers)) == [(i, i * i) for i in range(7)]


def test_items_are_worked_on_together():
    barrier = threading.Barrier(3, timeout=5)  # passed by three at a time alone
    assert len(list(in_threads(lambda item: barrier.wait(), range(6), 3))) == 6


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_reaches_the_caller_and_ends_the_work(workers):
    begun = []

    def work(item):
        begun.append(item)
        if item == 1:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(in_threads(work, range(100), workers))
    assert len(begun) < 10
