"""The tables of the page: rows of the record as Markdown, with the paper's figures beside them."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.results.contestants import loaded_name
from benchmarks.results.photo_sets import ORDER
from benchmarks.results.record import Record, Row
from jaxsr.models import MODELS
from jaxsr.support.types import Json

KINDS = ("bicubic", "published", "ours", "learned", "none")  # of weights, in the order of a table
WEIGHTS = {"bicubic": "", "published": "published: `{name}`", "ours": "`{name}`", "learned": "`{name}`"}
COLUMNS = (
    *("system", "weights", "PSNR", "SSIM", "NIQE", "paper's PSNR", "paper's SSIM", "difference"),
    *("protocol", "seconds", "parameters"),
)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def groups_of(record: Record) -> dict[tuple[str, int], list[Row]]:
    """Return {(set, scale): rows}, ordered as on the page, with rows for systems of which there are figures alone."""
    keys = {(row["set"], row["scale"]) for row in record.rows}
    groups = {}
    for key in sorted(keys, key=lambda key: (ORDER.index(key[0]), key[1])):
        group = [row for row in record.rows if (row["set"], row["scale"]) == key]
        present = {row["system"] for row in group}
        others = [row for row in record.papers if (row["set"], row["scale"]) == key and row["system"] not in present]
        group += [{**row, "weights": "none", "name": "", "paper": row, "photos": [], "protocol": ""} for row in others]
        groups[key] = sorted(group, key=_order)
    return groups


def _order(row: Row) -> tuple[int, int, str]:
    systems = list(MODELS)
    place = systems.index(row["system"]) if row["system"] in systems else len(systems)
    return place, KINDS.index(row["weights"]), row["name"]


def table(rows: Sequence[Row]) -> str:
    """Return the table of one set at one scale."""
    return markdown_table(COLUMNS, [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    paper: Mapping[str, Json] = row["paper"] or {}
    mean: Mapping[str, Json] = row.get("mean", {})
    weights = WEIGHTS.get(row["weights"], "not scored here")
    weights = weights.format(name=loaded_name(row["system"], row["name"], row["scale"]))
    if "failure" in row:
        weights += f", failed: {row['failure']}".replace("|", "/")
    if row["photos"] and not row["complete"]:
        weights += f", {len(row['photos'])} of {row['count']} photos"
    checked = "" if paper.get("checked") != "no" else " (unchecked)"
    return [
        row["system"],
        weights,
        _number(mean.get("psnr"), ".2f"),
        _number(mean.get("ssim"), ".4f"),
        _number(mean.get("niqe"), ".2f"),
        _number(paper.get("psnr"), ".2f") + checked,
        _number(paper.get("ssim"), ".4f"),
        _number(_without_sign_of_zero(row.get("difference")), "+.2f"),
        row.get("protocol", ""),
        _number(mean.get("seconds"), ".3f"),
        _number(row.get("parameters") or None, ","),
    ]


def _number(value: Json, form: str) -> str:
    return "" if value is None else format(value, form)


def _without_sign_of_zero(value: float | None) -> float | None:
    return None if value is None else round(value, 2) + 0.0
