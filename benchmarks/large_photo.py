"""Seconds and memory of one large photo, network by network, by the command's way; and what each costs to compile.

python -m benchmarks.large_photo [--networks=rdn,danv2] [--megapixels=24]
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import jaxsr
from benchmarks.arguments import check_names
from benchmarks.cases import SIZES
from benchmarks.inference import CHOICES, precisions_here
from benchmarks.tables import Measurement, Row, Table, network, run
from benchmarks.timing import first_calls
from benchmarks.workers import Worker

BYTES = 1e6


def prepare(name: str, pixels: float, precision: str) -> Callable[[], Any]:
    """Return the call that restores a photo of so many pixels, 3 by 2, in 8 bits, with random weights."""
    height = max(2, round(math.sqrt(pixels / 1.5)))
    photo = np.random.default_rng(0).integers(0, 256, (height, round(1.5 * height), 3), np.uint8)
    model = network(name, SIZES[name].scale)
    options: Any = {"precision": precision} if "precision" in CHOICES else {}
    return lambda: jaxsr.restore(photo, model, **options)


def measure(name: str, pixels: float, precision: str) -> Measurement:
    """Return the cells of a row."""
    with Worker(as_command=True) as worker:
        worker.prepare(prepare, name, pixels, precision)
        first = worker.ask(first_calls)
    shown = (f"{first.compiling + first.seconds:.1f}", f"{first.seconds:.2f}")
    return Measurement([*shown, f"{pixels / BYTES / first.seconds:.3g}", f"{first.mebibytes:.0f}"])


def rows(networks: Sequence[str], pixels: float, precisions: Sequence[str]) -> Iterator[Row]:
    """Yield a row for each network and precision."""
    for name in networks:
        for precision in precisions_here("xla", precisions):
            labels = (f"{name} x{SIZES[name].scale}", precision)
            yield Row(labels, functools.partial(measure, name, pixels, precision))


def tables(
    *,
    networks: Sequence[str] = ("rdn", "danv2"),
    megapixels: int = 24,
    kilopixels: int = 0,
    precisions: Sequence[str] = (),
) -> Iterator[Table]:
    """Yield the table of photos of so many megapixels, or if that is not 0 of so many `kilopixels`."""
    check_names("network", networks, SIZES)
    pixels = 1e3 * kilopixels or 1e6 * megapixels
    columns = ("network", "precision", "first photo, s", "next one, s", "MP/s taken in", "MiB")
    size = f"{kilopixels} kilopixels" if kilopixels else f"{megapixels} megapixels"
    yield Table(f"One photo of {size}", columns, rows(networks, pixels, precisions))


if __name__ == "__main__":
    run(tables)
