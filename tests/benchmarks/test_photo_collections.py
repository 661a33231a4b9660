"""The table of collections: what Ray costs, and rows that were measured before."""

import sys
from types import SimpleNamespace

import pytest

from benchmarks import photo_collections
from benchmarks.photo_collections import ALONE, RUNNING, STARTED, flags_of, make_collection, measure, seconds, tables
from benchmarks.workers import MeasurementFailed, OverLimit, limited

FOUND = {ALONE: (20.0, 4.0, 0.016), STARTED: (22.0, 5.0, 0.017), RUNNING: (21.0, 4.2, 0.017)}


@pytest.fixture
def asked(monkeypatch):
    """Have known times, and return the ways that were timed."""
    ways = []
    monkeypatch.setattr(photo_collections, "times", lambda way, *_: ways.append(way) or FOUND[way])
    return ways


def test_what_ray_costs_in_all_and_for_a_photo(asked):
    (table,) = tables(photos=1000)
    assert [row.labels + tuple(row.measure().cells) for row in table.rows] == [
        (ALONE, "20.0", "4.0", "16.0", "", ""),
        (STARTED, "22.0", "5.0", "17.0", "+10", "+6"),
        (RUNNING, "21.0", "4.2", "17.0", "+5", "+6"),
    ]
    assert asked == [ALONE, STARTED, RUNNING]


def test_one_process_is_timed_again_where_its_row_was_known(asked):
    assert measure(STARTED, (1000, 256, "fsrcnn-x2"), []).cells[3:] == ["+10", "+6"]
    assert asked == [STARTED, ALONE]


def test_a_cluster_runs_for_its_way_alone(monkeypatch):
    events = []

    class Cluster:
        address = "127.0.0.1:6379"

        def __init__(self, **_):
            events.append("started")

        def shutdown(self):
            events.append("ended")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace())  # which may not be installed
    monkeypatch.setitem(sys.modules, "ray.cluster_utils", SimpleNamespace(Cluster=Cluster))
    with flags_of(RUNNING) as flags:
        assert flags == ("--ray=127.0.0.1:6379",) and events == ["started"]
    assert events == ["started", "ended"]
    with flags_of(STARTED) as flags:
        assert flags == ("--ray=auto",)
    assert len(events) == 2


def test_a_command_that_fails_says_why(tmp_path, monkeypatch):
    photos = make_collection(tmp_path / "photos", 2, 32)
    assert len(list(photos.iterdir())) == 2
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(MeasurementFailed, match="restore ended with 1"):
        seconds(photos, tmp_path / "restored", "fsrcnn-x2", ())


def test_a_command_that_takes_longer_than_its_row_may_is_given_up(tmp_path, monkeypatch):
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    with pytest.raises(OverLimit, match="not done in the 0 s"), limited(0.2):
        seconds(tmp_path, tmp_path / "restored", "fsrcnn-x2", ())
