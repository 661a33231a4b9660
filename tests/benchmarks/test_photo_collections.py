"""The table of collections: what Ray costs, and rows that were measured before."""

import sys

import pytest

from benchmarks import photo_collections
from benchmarks.photo_collections import ALONE, make_collection, measure, seconds, tables
from benchmarks.workers import MeasurementFailed

FOUND = {ALONE: (20.0, 4.0, 0.016), "with --ray": (22.0, 5.0, 0.017)}


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
        ("with --ray", "22.0", "5.0", "17.0", "+10", "+6"),
    ]
    assert asked == [ALONE, "with --ray"]


def test_one_process_is_timed_again_where_its_row_was_known(asked):
    assert measure("with --ray", (1000, 256, "fsrcnn-x2"), []).cells[3:] == ["+10", "+6"]
    assert asked == ["with --ray", ALONE]


def test_a_command_that_fails_says_why(tmp_path, monkeypatch):
    photos = make_collection(tmp_path / "photos", 2, 32)
    assert len(list(photos.iterdir())) == 2
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(MeasurementFailed, match="restore ended with 1"):
        seconds(photos, tmp_path / "restored", "fsrcnn-x2", ())
