"""Writes which engine is fastest for each network, from what `python -m benchmarks --sections=inference` measured.

python -m benchmarks.engines benchmarks/measured/cpu.json

Seconds of a photo by engine, through the tiles of `restore`, go to jaxsr/engines/engine_times.json, by which the engine
"auto" is chosen; "openvino_bf16" is OpenVINO in bf16. Engines that compile a network for more than
LONGEST_COMPILATION are left out: one photo would take longer than by XLA.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.cases import A_PHOTO
from benchmarks.measurements import Results, read_results
from benchmarks.speed_table import cell_of, table_titled
from benchmarks.tables import failed
from jaxsr.support import command_line
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole

TABLE = Path(__file__).parents[1] / "jaxsr" / "engines" / "engine_times.json"
LONGEST_COMPILATION = 4.0  # seconds


def engine_times(results: Results) -> dict[str, dict[str, float]]:
    """Return the seconds of a photo for each network that an engine other than XLA has run, by engine."""
    found: dict[str, dict[str, float]] = {}
    for network, engine, seconds in _rows(results):
        found.setdefault(network, {})[engine] = seconds
    return {network: times for network, times in found.items() if "xla" in times and len(times) > 1}


def _rows(results: Results) -> Iterator[tuple[str, str, float]]:
    photos = table_titled(results, A_PHOTO)
    for row in (row for row in photos["rows"] if not failed(row)):
        label, engine, precision = row["labels"]
        if engine == "xla" or float(cell_of(photos, row, "jaxsr compiles, s")) <= LONGEST_COMPILATION:
            kind = "" if precision == "float32" else f"_{precision}"
            yield label.split()[0], engine + kind, round(float(cell_of(photos, row, "jaxsr ms")) / 1000, 6)


def main(paths: Sequence[str]) -> None:
    """Write the table of engines; raises UserError for a file without rows of engines."""
    if len(paths) != 1:
        raise UserError("name the one JSON file of python -m benchmarks to take seconds from")
    results = read_results(Path(paths[0]))
    found = engine_times(results)
    if not found:
        raise UserError(f"{paths[0]} has no photo by an engine other than XLA; run --sections=inference with one")
    table = {"machine": results["machine"], "seconds": found}
    with written_whole(TABLE) as temporary:
        temporary.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    command_line.run(main)
