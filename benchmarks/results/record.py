"""The record of all scores: one JSON file, written after every photo, from which the page is made."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.results.published import figures_of, paper_rows
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.types import Json

FORMAT = 1
DECIMALS = 6  # of a photo's scores
Row = dict[str, Json]  # of one set of weights on one test set at one scale
KEY = ("system", "weights", "name", "set", "scale")  # of a row


@dataclasses.dataclass
class Record:
    """The rows of a JSON file, and what else the page says: the papers' figures, skipped files and pictures."""

    file: Path
    rows: list[Row] = dataclasses.field(default_factory=list)
    papers: list[Row] = dataclasses.field(default_factory=list)
    skipped: dict[str, str] = dataclasses.field(default_factory=dict)
    pictures: list[dict[str, Json]] = dataclasses.field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> "Record":
        """Return the record in `file`, an empty one where there is none; raises UserError for another kind of file."""
        if not file.exists():
            return cls(file)
        try:
            content = json.loads(file.read_text("utf-8"))
            if content["format"] != FORMAT:
                raise UserError(f"{file} has format {content['format']}, not {FORMAT}; name another file")
            return cls(file, content["rows"], content["papers"], content["skipped"], content["pictures"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"{file} is not a record of results ({error}); name another file") from None

    def write(self) -> None:
        """Write the file, whole."""
        self.papers = paper_rows({row["set"] for row in self.rows})
        fields = {name: getattr(self, name) for name in ("rows", "papers", "skipped", "pictures")}
        with written_whole(self.file) as temporary:
            temporary.write_text(json.dumps({"format": FORMAT, **fields}, indent=1) + "\n", "utf-8")

    def row(self, facts: Mapping[str, Json]) -> Row:
        """Return the row that has the KEY of `facts`, begun anew where weights, data or protocol are others.

        `facts` also hold "digest" and "data", "protocol" and "parameters".
        """
        for i, row in enumerate(self.rows):
            if all(row[name] == facts[name] for name in KEY):
                if any(row[name] != facts[name] for name in ("digest", "data", "protocol")):
                    self.rows[i] = row = _fresh(facts)
                return row
        self.rows.append(_fresh(facts))
        return self.rows[-1]


def _fresh(facts: Mapping[str, Json]) -> Row:
    of_the_paper = facts["weights"] != "ours" or facts["name"].partition("-")[0] == facts["system"]  # not real-x4
    figures = figures_of(facts["system"], facts["set"], facts["scale"]) if of_the_paper else None
    return {**facts, "paper": figures and dataclasses.asdict(figures), "photos": [], "complete": False}


def add_photo(row: Row, photo: Mapping[str, Json]) -> None:
    """Add the scores of a `photo` to `row`, and bring its means up to date."""
    rounded = {name: round(value, DECIMALS) if isinstance(value, float) else value for name, value in photo.items()}
    row["photos"].append(rounded)
    row["mean"] = {name: _mean(row["photos"], name) for name in photo if name != "name"}


def complete(row: Row) -> None:
    """Note that all photos of `row` are there, and how far its PSNR is from the paper's."""
    row["complete"] = True
    row["difference"] = row["mean"]["psnr"] - row["paper"]["psnr"] if row["paper"] else None


def _mean(photos: list[dict[str, Json]], name: str) -> float | None:
    """Return the mean of those photos that have the figure."""
    values = [photo[name] for photo in photos if photo.get(name) is not None]
    return float(np.mean(values)) if values else None
