"""How speed and memory grow: with a photo, the number of small ones, of photos that are learned from, patches, devices.

Time is right where it grows in proportion: below each table stands by which power it does, and from where on it is
worse. Rows that would take more than --longest seconds, by the row before, are left out. Memory is what the calls add
to a fresh process at its peak.
pip install -e ".[bench]" && python -m benchmarks.growth
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import jaxsr
from benchmarks import sharing, zssr
from benchmarks.arguments import check_names
from benchmarks.cases import SIZES
from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.timing import first_calls
from benchmarks.workers import MeasurementFailed, Prepare, Worker
from jaxsr.blind.kernelgan.estimation import estimate_kernels
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions

PARTS = ("large", "small", "kernelgan", "zssr", "batch", "devices")
MODELS_OF_LARGE = ("fsrcnn-x2", "espcn-x3")  # shipped, so that the photo goes the way that it goes for a user
SMALL_SIDE, LEARNED_SIDE, LEARNED_STEPS = 48, 128, 20
WORSE = 1.25  # times the best row's seconds for the same work, from which on growth is not linear


def large_photo(model: str, megapixels: float) -> Callable[[], Any]:
    """Return the call that restores a photo of so many megapixels, 3 by 2, in 8 bits."""
    height = max(2, round(math.sqrt(megapixels * 1e6 / 1.5)))
    photo = np.random.default_rng(0).integers(0, 256, (height, round(1.5 * height), 3), np.uint8)
    network = jaxsr.load(model)
    return lambda: jaxsr.restore(photo, network)


def small_photos(model: str, count: int) -> Callable[[], Any]:
    """Return the call that restores so many photos of SMALL_SIDE pixels a side, one after another, from memory."""
    photos = np.random.default_rng(0).integers(0, 256, (count, SMALL_SIDE, SMALL_SIDE, 3), np.uint8)
    network = jaxsr.load(model)
    return lambda: [jaxsr.restore(photo, network) for photo in photos]


def kernels(_: str, count: int) -> Callable[[], Any]:
    """Return the call that makes LEARNED_STEPS steps of KernelGAN, one run each, on so many photos at once."""
    photos = list(np.random.default_rng(0).random((count, LEARNED_SIDE, LEARNED_SIDE, 3), np.float32))
    options = KernelGANOptions(seeds=1, steps=LEARNED_STEPS)
    return lambda: estimate_kernels(photos, options)


def networks_of_photos(_: str, count: int) -> Callable[[], Any]:
    """Return the call that makes a step of ZSSR on each of so many photos."""
    return zssr.prepare("jaxsr", LEARNED_SIDE, count)


def growth_rows(prepare: Prepare, names: Sequence[str], sizes: Sequence[float], longest: int) -> Iterator[Row]:
    """Yield a row for each of `names` and `sizes`; `prepare(name, size)` gives its call."""
    for name in names:
        before: list[tuple[float, float]] = []
        for size in sizes:
            yield Row((name, f"{size:g}"), functools.partial(grown, prepare, name, size, before, longest))


def grown(prepare: Prepare, name: str, size: float, before: list[tuple[float, float]], longest: int) -> Measurement:
    """Return the cells of a row: seconds, seconds for one, MiB, MiB for one. `before` are (size, seconds) so far."""
    if before and before[-1][1] / before[-1][0] * size > longest:
        raise MeasurementFailed(f"left out: it would take more than {longest} s by the row before")
    with Worker(as_command=True) as worker:
        worker.prepare(prepare, name, size)
        first = worker.ask(first_calls)
    before.append((size, first.seconds))
    shown = (first.seconds, first.seconds / size, first.mebibytes, first.mebibytes / size)
    return Measurement([f"{number:.3g}" for number in shown])


def conclude(rows: list[list[str]]) -> list[str]:
    """Return for each name how time and memory grow with the size, and where time is no longer linear."""
    said = []
    for name in dict.fromkeys(row[0] for row in rows):
        mine = [(float(row[1]), float(row[2]), float(row[4])) for row in rows if row[0] == name and is_number(row[2])]
        mine.sort()  # rows of several calls
        if len(mine) < 2:
            continue
        sizes, seconds, memory = zip(*mine, strict=True)
        best = min(time / size for size, time in zip(sizes, seconds, strict=True))
        least = sizes[int(np.argmin(np.divide(seconds, sizes)))]
        worse = [size for size, time in zip(sizes, seconds, strict=True) if size > least and time / size > WORSE * best]
        where = f"; worse than linear from {worse[0]:g} on" if worse else ""
        powers = f"time grows with the power {power(sizes, seconds):.2f}, memory with {power(sizes, memory):.2f}"
        said.append(f"{name}: {powers}{where}.")
    return said


def is_number(cell: str) -> bool:
    """Return whether a row has been measured."""
    return cell.replace(".", "", 1).replace("e-", "", 1).replace("e+", "", 1).isdigit()


def power(sizes: Sequence[float], amounts: Sequence[float]) -> float:
    """Return the exponent of the power of the size that fits `amounts` best; 1 is linear."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(amounts, 1e-9)), 1)[0])


def tables(
    *,
    parts: Sequence[str] = PARTS,
    megapixels: Sequence[int] = (1, 4, 24, 100),
    small: Sequence[int] = (1, 10, 100, 1000),
    learned: Sequence[int] = (1, 4, 16, 64),
    batches: Sequence[int] = (1, 4, 16, 64),
    devices: int = 8,
    networks: Sequence[str] = sharing.NETWORKS,
    longest: int = 300,
    rounds: int = 3,
) -> Iterator[Table]:
    """Yield the tables of `parts`, up to so many `devices`; raises UserError for unknown parts or networks."""
    check_names("part", parts, PARTS)
    check_names("network", networks, SIZES)
    grown = {
        "large": ("one photo", large_photo, MODELS_OF_LARGE, megapixels, "megapixels"),
        "small": (f"many photos of {SMALL_SIDE}x{SMALL_SIDE}", small_photos, MODELS_OF_LARGE[:1], small, "photos"),
        "kernelgan": (f"KernelGAN, {LEARNED_STEPS} steps", kernels, ("kernelgan",), learned, "photos"),
        "zssr": ("ZSSR, a step", networks_of_photos, ("zssr",), learned, "photos"),
    }
    for part in (part for part in parts if part in grown):
        title, prepare, names, sizes, unit = grown[part]
        columns = ("model", unit, "seconds", "seconds for one", "MiB", "MiB for one")
        yield Table(f"Growth: {title}", columns, growth_rows(prepare, names, sizes, longest), conclude=conclude)
    yield from sharing.tables(parts=parts, batches=batches, devices=devices, networks=networks, rounds=rounds)


if __name__ == "__main__":
    run(tables)
