"""The rows that were measured so far, in a JSON file: the page is made of it, and a run that was cut off goes on.

{"machine": "...", "tables": [{"title", "columns", "notes", "rows": [{"labels", "cells", "note", "took"}]}]}: labels
and cells are the columns as they print, `note` says what is amiss with a row, `took` its seconds.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole


class RowRecord(TypedDict):
    """A row as it printed."""

    labels: list[str]
    cells: list[str]
    note: str
    took: float


class TableRecord(TypedDict):
    """A table as it printed."""

    title: str
    columns: list[str]
    notes: list[str]
    rows: list[RowRecord]


class Results(TypedDict):
    """All that was measured on a machine."""

    machine: str
    tables: list[TableRecord]


def read_results(path: Path) -> Results:
    """Return what the file holds; raises UserError where it holds something else."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        assert all({"title", "columns", "notes", "rows"} <= set(table) for table in results["tables"])
        assert isinstance(results["machine"], str)
    except (ValueError, KeyError, TypeError, AssertionError):
        raise UserError(f"{path} holds no results of python -m benchmarks; give another --json") from None
    return results


def read_rows(file: Path, is_name: Callable[[str], bool], otherwise: str) -> dict[str, Any]:
    """Return the rows by name in the JSON `file` of another benchmark, none where it is not there.

    Raises UserError, which says `otherwise`, where it holds something else, or names for which `is_name` is not true.
    """
    if not file.exists():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(map(is_name, found)):
        raise UserError(f"{file} holds {otherwise}")
    return found


class Record:
    """The results in the file `path`, or in memory alone where it is None; with `again` rows there are measured anew.

    Raises UserError where the file holds another machine's results.
    """

    def __init__(self, path: Path | None, machine: str, *, again: bool = False) -> None:
        self._path = path
        self.results = Results(machine=machine, tables=[])
        if path is not None and path.exists():
            found = read_results(path)
            if found["machine"] == machine:
                self.results = found
            elif not again:
                raise UserError(
                    f"{path} has rows of another machine ({found['machine']}); "
                    "give another --json, or --again to drop them"
                )
        self._again = again
        self._renewed: set[tuple[str, ...]] = set()

    def table(self, title: str, columns: Sequence[str]) -> TableRecord:
        """Return the table `title`, begun anew where its columns have changed."""
        for table in self.results["tables"]:
            if table["title"] == title:
                if table["columns"] != [*columns]:
                    table.update(columns=[*columns], rows=[])
                return table
        self.results["tables"].append(TableRecord(title=title, columns=[*columns], notes=[], rows=[]))
        return self.results["tables"][-1]

    def known(self, table: TableRecord, labels: Sequence[str]) -> RowRecord | None:
        """Return the row with these `labels`, if it is there and need not be measured again."""
        if self._again and (table["title"], *labels) not in self._renewed:
            return None
        return next((row for row in table["rows"] if row["labels"] == [*labels]), None)

    def add(self, table: TableRecord, row: RowRecord) -> None:
        """Put `row` in the place of the one with its labels, or at the end, and write the file."""
        self._renewed.add((table["title"], *row["labels"]))
        there = [i for i, other in enumerate(table["rows"]) if other["labels"] == row["labels"]]
        if there:
            table["rows"][there[0]] = row
        else:
            table["rows"].append(row)
        self.write()

    def write(self) -> None:
        """Write the file, whole or not at all."""
        if self._path is not None:
            with written_whole(self._path) as temporary:
                temporary.write_text(json.dumps(self.results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
