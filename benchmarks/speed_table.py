"""The README's table of speed, of the first machine that `python -m benchmarks.page` is given.

It stands between two comments, which stay: what lies between them is written anew from the JSON file.
"""

from collections.abc import Iterator, Sequence

from benchmarks.cases import A_PHOTO, A_STEP, PRECISIONS
from benchmarks.measurements import Results, RowRecord, TableRecord
from benchmarks.tables import failed, header, line
from jaxsr.support.errors import UserError

BEGIN, END = "<!-- speed: written by benchmarks.page -->", "<!-- end of speed -->"
COLUMNS = (
    "network, photo",
    "seconds per megapixel",
    "times the best PyTorch",
    "the same in bf16",
    "times the best PyTorch",
    "training step, times eager PyTorch",
)
RATIO = "best PyTorch / jaxsr"


def with_speed_table(readme: str, results: Results) -> str:
    """Return `readme` with the table of `results` in its place; raises UserError where that is not marked."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UserError(f"the README has no place for the table of speed; mark it by {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{speed_table(results)}\n{END}{after}"


def speed_table(results: Results) -> str:
    """Return a row for each network: the fastest engine in each precision, and its training step."""
    photos, steps = table_titled(results, A_PHOTO), table_titled(results, A_STEP)
    lines = [line([label, *cells]) for label, cells in rows(photos, steps)]
    return "\n".join([f"{results['machine']}:\n", header(COLUMNS), *lines])


def table_titled(results: Results, title: str) -> TableRecord:
    """Return the table of that title, without rows where it was not measured."""
    empty = TableRecord(title=title, columns=[], notes=[], rows=[])
    return next((table for table in results["tables"] if table["title"] == title), empty)


def rows(photos: TableRecord, steps: TableRecord) -> Iterator[tuple[str, list[str]]]:
    """Yield the first cell and the others of each row of the README's table."""
    for label in dict.fromkeys(row["labels"][0] for row in photos["rows"]):
        cells = [cell for precision in PRECISIONS for cell in fastest(photos, label, precision)]
        name = label.split()[0]
        step = next((row for row in steps["rows"] if row["labels"][0].split()[0] == name and not failed(row)), None)
        yield label, [*cells, cell_of(steps, step, "eager / jaxsr") if step else ""]


def fastest(photos: TableRecord, label: str, precision: str) -> tuple[str, str]:
    """Return the seconds per megapixel of the fastest engine with its name, and its ratio."""
    mine = [row for row in photos["rows"] if (row["labels"][0], row["labels"][-1]) == (label, precision)]
    speeds = {cell_of(photos, row, "jaxsr MP/s"): row for row in mine if not failed(row)}
    if not speeds:
        return "", ""
    best = max(speeds, key=float)
    return f"{1 / float(best):.2g} ({speeds[best]['labels'][1]})", cell_of(photos, speeds[best], RATIO)


def cell_of(table: TableRecord, row: RowRecord, column: str) -> str:
    """Return what stands in that column of a row."""
    cells: Sequence[str] = [*row["labels"], *row["cells"]]
    return cells[table["columns"].index(column)]
