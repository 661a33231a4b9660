"""How tables print and are recorded, that a bad row ends none, and what a section's arguments become as flags."""

import functools
import json
import threading

import pytest

from benchmarks.measurements import Record, read_results
from benchmarks.page import page
from benchmarks.tables import Measurement, Row, Table, show
from benchmarks.workers import MeasurementFailed, OverLimit
from jaxsr.support.errors import UserError

COLUMNS = ("network", "ms", "s")


def row(name, *cells, note=""):
    return Row((name,), lambda: Measurement(cells, note))


def refuse():
    raise AssertionError("this row was measured before")


def test_a_table_prints_row_by_row_with_what_it_noted(capsys):
    def rows():
        yield row("espcn", "1.0", "3")
        assert "| espcn | 1.0 | 3 |" in capsys.readouterr().out
        yield row("fsrcnn", "2.0", "4", note="Nothing failed.")

    table = Table("A photo", COLUMNS, rows(), ["First."], conclude=lambda cells: [f"{len(cells)} rows."])
    assert show(table, Record(None, "a machine"))
    assert capsys.readouterr().out == "| fsrcnn | 2.0 | 4 |\n\nFirst. 2 rows. Nothing failed. Measured in 0 s.\n\n"


def test_rows_that_fail_are_marked_and_the_others_measured(capsys):
    def failing(error):
        raise error

    rows = [
        Row(("a",), lambda: failing(OverLimit("over"))),
        Row(("b",), lambda: failing(MeasurementFailed("jaxsr: no memory"))),
        row("c", "1", "2"),
    ]
    assert not show(Table("A photo", COLUMNS, rows), Record(None, "a machine"), limit=7)
    out = capsys.readouterr().out
    assert "| a | over 7 s |  |\n| b | failed |  |\n| c | 1 | 2 |" in out
    assert "a: given up after 7 s. b: jaxsr: no memory." in out


def test_recorded_rows_are_not_measured_again(tmp_path):
    path = tmp_path / "speed.json"
    show(Table("A photo", COLUMNS, [row("a", "1", "2")]), Record(path, "a machine"))
    again = Table("A photo", COLUMNS, [Row(("a",), refuse), row("b", "3", "4", note="b differs.")])
    assert show(again, Record(path, "a machine"))
    (table,) = json.loads(path.read_text())["tables"]
    assert [kept["labels"] + kept["cells"] for kept in table["rows"]] == [["a", "1", "2"], ["b", "3", "4"]]
    show(Table("A photo", COLUMNS, [row("a", "9", "9")]), Record(path, "a machine", again=True))
    assert [kept["cells"][0] for kept in read_results(path)["tables"][0]["rows"]] == ["9", "3"]


def test_what_all_rows_tell_stays_true_when_some_are_measured_later(tmp_path):
    path = tmp_path / "speed.json"

    def measured(*names):
        rows = [row(name, "1", "2") for name in names]
        show(Table("A photo", COLUMNS, rows, conclude=lambda cells: [f"{len(cells)} rows."]), Record(path, "a machine"))
        return read_results(path)["tables"][0]["notes"]

    assert measured("a", "b") == ["2 rows."]
    assert measured("c") == ["3 rows."]
    assert measured("a") == ["3 rows."]


def test_a_record_is_of_one_machine(tmp_path):
    path = tmp_path / "speed.json"
    show(Table("A photo", COLUMNS, [row("a", "1", "2")]), Record(path, "a machine"))
    with pytest.raises(UserError, match="rows of another machine"):
        Record(path, "another")
    assert Record(path, "another", again=True).results["tables"] == []
    path.write_text('{"machine": 1}')
    with pytest.raises(UserError, match="holds no results"):
        Record(path, "a machine")


def test_other_columns_begin_a_table_anew(tmp_path):
    record = Record(tmp_path / "speed.json", "a machine")
    show(Table("A photo", COLUMNS, [row("a", "1", "2")]), record)
    show(Table("A photo", ("network", "MiB"), [row("a", "5")]), record)
    assert [kept["cells"] for kept in record.results["tables"][0]["rows"]] == [["5"]]


def test_the_page_has_what_was_recorded_and_no_empty_column():
    record = Record(None, "AMD EPYC, 2 cores")
    show(Table("A photo", COLUMNS, [row("a", "1", ""), row("b", "**2**", "", note="b differs.")], ["Rounded."]), record)
    text = page([record.results])
    assert "## AMD EPYC, 2 cores\n" in text and "| network | ms |\n|---|---|\n| a | 1 |\n| b | **2** |\n" in text
    assert "- Rounded.\n- b differs.\n- Measured in 0 s." in text


def test_rows_are_made_ready_side_by_side_and_measured_one_by_one():
    both, events = threading.Barrier(2, timeout=10), []

    def make_ready(name, stack):
        both.wait()  # passes only where the other is made ready at the same time
        stack.callback(events.append, f"{name} ends")
        if name == "b":
            raise MeasurementFailed("no memory")
        return lambda: events.append(f"{name} measured") or Measurement(("1", "2"))

    rows = [Row((name,), refuse, functools.partial(make_ready, name)) for name in "ab"]
    record = Record(None, "a machine")
    assert not show(Table("A photo", COLUMNS, [*rows, row("c", "3", "4")]), record, ahead=2)
    assert events == ["a measured", "b ends", "a ends"]
    assert [kept["cells"][0] for kept in record.results["tables"][0]["rows"]] == ["1", "failed", "3"]
