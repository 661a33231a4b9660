"""Threads before and behind a loop: in order, bounded, ended, and errors arrive."""

import threading

import pytest

from jaxsr.data.videos.read_ahead import read_ahead, write_behind


def test_everything_passes_in_order():
    written = []
    with write_behind(written.append, 3) as write, read_ahead(range(20), 4) as items:
        for item in items:
            write(item)
    assert written == list(range(20))


def test_reading_is_bounded():
    drawn = []

    def items():
        for i in range(100):
            drawn.append(i)
            yield i

    with read_ahead(items(), 4) as ahead:
        for item in ahead:
            assert len(drawn) <= item + 6
            if item == 50:
                break
    assert len(drawn) <= 56


def test_writing_is_bounded():
    """The writer is held; the fifth item waits for the first."""
    free, written = threading.Event(), []

    def slow(item):
        free.wait(10)
        written.append(item)

    with write_behind(slow, 4) as write:
        for item in range(4):
            write(item)
        assert not written
        free.set()
        write(4)
        assert written[0] == 0


def failing(*_):
    raise ValueError("full")


def test_errors_arrive_and_threads_end():
    threads = threading.active_count()
    with pytest.raises(ValueError, match="full"), read_ahead(map(failing, range(3)), 2) as items:
        list(items)
    with pytest.raises(ValueError, match="full"), write_behind(failing, 9) as write:
        write(1)
    assert threading.active_count() == threads


def test_after_an_error_nothing_more_is_written():
    written = []
    with pytest.raises(KeyboardInterrupt), write_behind(written.append, 100) as write:
        write(1)
        raise KeyboardInterrupt
    assert written in ([], [1])
