"""Seconds of KernelGAN for a set of photos, as `estimate_kernel` takes them; random ones of BSDS's size.

python -m benchmarks.kernelgan_set [--photos=100] [--seeds=4]
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.timing import first_calls, seconds_of
from benchmarks.workers import Worker
from jaxsr.blind.kernelgan.estimation import estimate_kernels
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions

STEPS = 3000
WARM = 20  # steps of the first calls, which compile


def prepare(photos: int, side: int, seeds: int, steps: int) -> Callable[[], Any]:
    """Return the call that estimates the kernels of so many photos, 3 by 2, of `side` pixels in height."""
    shape = (photos, side, 3 * side // 2, 3)
    pixels = list(np.random.default_rng(0).random(shape, np.float32))
    return lambda: estimate_kernels(pixels, KernelGANOptions(seeds=seeds, steps=steps))


def measure(photos: int, side: int, seeds: int, steps: int) -> Measurement:
    """Return the cells of a row: compiling, all photos, one photo, memory."""
    with Worker(as_command=True) as worker:
        worker.prepare(prepare, photos, side, seeds, min(steps, WARM))
        first = worker.ask(first_calls)
        worker.prepare(prepare, photos, side, seeds, steps)
        seconds = worker.ask(seconds_of)
    shown = (first.compiling, seconds, seconds / photos)
    return Measurement([*(f"{number:.3g}" for number in shown), f"{first.mebibytes:.0f}"])


def tables(*, photos: int = 100, side: int = 321, seeds: int = 4, steps: int = STEPS) -> Iterator[Table]:
    """Yield the table."""
    columns = ("photos", "runs each", "steps", "compiling, s", "seconds", "seconds a photo", "MiB")
    labels = (str(photos), str(seeds), str(steps))
    row = Row(labels, functools.partial(measure, photos, side, seeds, steps))
    yield Table(f"KernelGAN: photos of {3 * side // 2}x{side}", columns, [row])


if __name__ == "__main__":
    run(tables)
