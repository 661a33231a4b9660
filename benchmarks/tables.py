"""Tables that print row by row, and how a section of them is run as a command.

Every command has --limit=SECONDS, after which a row is given up, --json=FILE, which keeps the rows and skips those that
it has, and --again, which measures them anew. A row that fails, or differs from its peer, is marked; the others go on.
--ahead=N has the contestants of N rows compile at once; they are timed one by one all the same.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np
from absl import flags

from benchmarks.arguments import check_no_more, defaults_of, define_flag, flag_value
from benchmarks.measurements import Record, RowRecord
from benchmarks.timing import machine
from benchmarks.workers import MeasurementFailed, OverLimit, limited
from jaxsr.models import MODELS, Model
from jaxsr.support import command_line
from jaxsr.support.paths import output_file

LIMIT = flags.DEFINE_integer("limit", 0, "Seconds after which a row is given up, and says so; 0 for none.", 0)
JSON = flags.DEFINE_string("json", None, "File for the rows; those it has already are not measured again.")
AGAIN = flags.DEFINE_bool("again", False, "Measure the rows that --json has, too.")
AHEAD = flags.DEFINE_integer("ahead", 1, "Rows whose contestants compile at once; they are timed one by one.", 1)

T = TypeVar("T")


class Measurement(NamedTuple):
    """The cells of a row behind its labels, and what has to be said of it below the table."""

    cells: Sequence[str]
    note: str = ""


class Row(NamedTuple):
    """The first cells of a row, which no other row of the table has, and what measures the others.

    `make_ready`, where a row has it, does what may go on beside other rows, and returns what measures alone; the
    processes for it end with the stack.
    """

    labels: tuple[str, ...]
    measure: Callable[[], Measurement]
    make_ready: Callable[[ExitStack], Callable[[], Measurement]] | None = None


class Table(NamedTuple):
    """A table whose `rows` are measured while it prints; `conclude(cells)` says what all rows together tell."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Row]
    notes: Sequence[str] = ()
    conclude: Callable[[list[list[str]]], list[str]] = lambda _: []


Section = Callable[..., Iterator[Table]]  # its keyword arguments are flags of the command


def show(table: Table, record: Record, limit: float = float("inf"), ahead: int = 1) -> bool:
    """Print `table` as Markdown while it is measured and recorded; return whether all rows were measured.

    The contestants of `ahead` rows are made ready at once.
    """
    kept = record.table(table.title, table.columns)
    print(f"### {table.title}\n\n{header(table.columns)}", flush=True)
    rows: list[RowRecord] = []
    for row in made_ready(table.rows, lambda row: record.known(kept, row.labels) is None, limit, ahead):
        known = record.known(kept, row.labels)
        rows.append(known or measured(row, len(table.columns), limit))
        if not known:
            record.add(kept, rows[-1])
        print(line([*rows[-1]["labels"], *rows[-1]["cells"]]), flush=True)
    # Of rows that were measured by earlier calls, too, since the page has one note for all
    notes = [*table.notes, *table.conclude([[*row["labels"], *row["cells"]] for row in kept["rows"]])]
    kept["notes"] = notes
    record.write()
    notes = [*notes, *(row["note"] for row in rows if row["note"])]
    print("\n" + " ".join([*notes, f"Measured in {duration(sum(row['took'] for row in rows))}."]) + "\n", flush=True)
    return not any(failed(row) for row in rows)


def made_ready(rows: Iterable[Row], is_new: Callable[[Row], bool], limit: float, ahead: int) -> Iterator[Row]:
    """Yield `rows`, of which `ahead` new ones at a time are made ready side by side before the first is measured."""
    rows = iter(rows)
    while group := list(islice(rows, ahead)):
        if ahead == 1:
            yield from group
            continue
        # The stack ends first: threads wait for its processes, also after Ctrl-C
        with ThreadPoolExecutor(ahead) as threads, ExitStack() as stack:
            ready = {
                row.labels: threads.submit(_with_limit, limit, row.make_ready, stack.enter_context(ExitStack()))
                for row in group
                if row.make_ready and is_new(row)
            }
            wait(ready.values())
            for row in group:
                future = ready.get(row.labels)
                yield row._replace(measure=lambda future=future: future.result()()) if future else row


def _with_limit(limit: float, make_ready: Callable[[ExitStack], T], stack: ExitStack) -> T:
    with limited(limit):
        return make_ready(stack)


def measured(row: Row, columns: int, limit: float) -> RowRecord:
    """Return `row` measured; of one that fails, or takes longer than `limit` seconds, the first cell says so."""
    start, width = time.monotonic(), columns - len(row.labels)
    try:
        with limited(limit):
            cells, note = row.measure()
    except OverLimit:
        cells, note = [f"over {limit:.0f} s"], f"{', '.join(row.labels)}: given up after {limit:.0f} s."
    except MeasurementFailed as error:
        cells, note = ["failed"], f"{', '.join(row.labels)}: {error}."
    cells = [*cells, *[""] * (width - len(cells))]
    return RowRecord(labels=[*row.labels], cells=cells, note=note, took=round(time.monotonic() - start, 1))


def failed(row: RowRecord) -> bool:
    """Return whether `row` has no numbers."""
    return bool(row["cells"]) and (row["cells"][0] == "failed" or row["cells"][0].startswith("over "))


def header(columns: Sequence[str]) -> str:
    """Return the first two lines of a table."""
    return f"{line(columns)}\n|{'---|' * len(columns)}"


def line(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def duration(seconds: float) -> str:
    """Return `seconds` as text."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} minutes"


def run(section: Section) -> None:
    """Run `section` as a command that prints the machine and all tables; a flag stands for each keyword argument."""
    defaults = defaults_of(section)
    for name, default in defaults.items():
        define_flag(name, default)

    def main(arguments: Sequence[str]) -> int:
        check_no_more(arguments)
        path = output_file(JSON.value, "--json") if JSON.value else None
        tables = section(**{name: flag_value(name, default) for name, default in defaults.items()})
        limit, record, complete = LIMIT.value or float("inf"), None, True
        for table in tables:
            if record is None:  # after the section has looked at its arguments
                record = Record(path, machine(), again=AGAIN.value)
                print(f"{record.results['machine']}\n", flush=True)
            complete &= show(table, record, limit, AHEAD.value)
        return command_line.DONE if complete else command_line.SOME_FAILED

    command_line.run(main)


def network(name: str, scale: int, **options: Any) -> Model:
    """Return a network with random weights; speed does not depend on them."""
    spec = MODELS[name]
    module = spec.module(scale, **options)
    variables = jax.jit(module.init)(jax.random.key(0), np.zeros((1, 32, 32, module.channels), np.float32))
    return Model(spec, module, scale, variables)
