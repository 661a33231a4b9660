"""The papers' figures, in `published.csv`, and what explains that ours differ from them, in `differences.json`."""

import csv
import dataclasses
import functools
import json
from collections.abc import Collection
from pathlib import Path

from jaxsr.support.types import Json


@dataclasses.dataclass(frozen=True)
class Figures:
    """What a paper, or a later table, says of a system: PSNR in dB, SSIM where it is given, protocol and source.

    `checked` is "no" where the figure was not seen in the source itself, "own run" where neither was it, but our run of
    the authors' weights gives that PSNR to 0.01 dB.
    """

    psnr: float
    ssim: float | None
    protocol: str
    source: str
    checked: str


def figures_of(system: str, set_name: str, scale: int) -> Figures | None:
    """Return the paper's figures, None where it has none for this set and scale."""
    return _table().get((system, set_name, scale))


@functools.cache
def _table() -> dict[tuple[str, str, int], Figures]:
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["system"], row["set"], int(row["scale"])): Figures(
                float(row["psnr"]),
                float(row["ssim"]) if row["ssim"] else None,
                row["protocol"],
                row["source"],
                row["checked"],
            )
            for row in csv.DictReader(file)
        }


def paper_rows(sets: Collection[str]) -> list[dict[str, Json]]:
    """Return the figures for `sets`, each with its "system", "set" and "scale", in the table's order."""
    return [
        {"system": system, "set": name, "scale": scale, **dataclasses.asdict(figures)}
        for (system, name, scale), figures in _table().items()
        if name in sets
    ]


def differences() -> dict[str, str]:
    """Return {system: a line on why its scores here differ from its paper's}."""
    return json.loads(Path(__file__).with_name("differences.json").read_text("utf-8"))
