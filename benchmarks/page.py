"""Writes the page of speed from the JSON files of python -m benchmarks, one section for each machine.

python -m benchmarks.page benchmarks/measured/*.json --page=docs/speed.md --readme=README.md
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from benchmarks.measurements import Results, TableRecord, read_results
from benchmarks.speed_table import with_speed_table
from benchmarks.tables import duration, header, line
from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.paths import user_path

PAGE = flags.DEFINE_string("page", None, "The page to write, such as docs/speed.md.", required=True)
README = flags.DEFINE_string("readme", None, "A README whose table of speed is written anew, from the first file.")

INTRODUCTION = """# Speed and memory

Written by `python -m benchmarks.page` from what `python -m benchmarks --json=FILE` measured; how, and what the columns
mean, is in [benchmarks/README.md](../benchmarks/README.md). Ratios above 1 mean that jaxsr is faster. The error is the
norm of jaxsr's difference from eager PyTorch over that of the result, in bold where it is more than rounding.
"""


def page(results: Sequence[Results]) -> str:
    """Return the page as Markdown; machines and tables in the order in which they are given."""
    parts = [INTRODUCTION]
    for machine in results:
        parts.append(f"## {machine['machine']}\n")
        parts += [table_of(table) for table in machine["tables"] if table["rows"]]
    return "\n".join(parts)


def table_of(table: TableRecord) -> str:
    """Return a table with its notes, and without columns that are empty."""
    rows = [[*row["labels"], *row["cells"]] for row in table["rows"]]
    filled = [i for i in range(len(table["columns"])) if any(row[i] for row in rows)]
    lines = [line([row[i] for i in filled]) for row in rows]
    notes = [*table["notes"], *(row["note"] for row in table["rows"] if row["note"])]
    took = f"Measured in {duration(sum(row['took'] for row in table['rows']))}."
    titles = [table["columns"][i] for i in filled]
    below = [f"- {note}" for note in [*notes, took]]
    return "\n".join([f"### {table['title']}\n", header(titles), *lines, "", *below, ""])


def main(paths: Sequence[str]) -> None:
    """Write the page of the files `paths`."""
    if not paths:
        raise UserError("name the JSON files to write the page of (--help lists the flags)")
    missing = [path for path in paths if not Path(path).is_file()]
    if missing:
        raise UserError(f"{missing[0]} is not there; python -m benchmarks --json={missing[0]} writes it")
    results = [read_results(Path(path)) for path in paths]
    texts = {user_path(PAGE.value): page(results)}
    if README.value:
        readme = user_path(README.value)
        texts[readme] = with_speed_table(readme.read_text(encoding="utf-8"), results[0])
    for path, text in texts.items():
        with written_whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    command_line.run(main)
