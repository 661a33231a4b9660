"""Times a collection of photos: `restore` in one process, and with --ray on one machine, each from files to files.

What Ray costs is the difference: both have the same devices. Starting Python, Ray and an actor, and compiling, are told
apart from the photos by a second collection, of a few photos alone.
pip install -e ".[bench,ray]" && python -m benchmarks.photo_collections --photos=1000
"""

import contextlib
import functools
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.workers import MeasurementFailed, OverLimit, remaining
from jaxsr.support.errors import UserError

ALONE, STARTED, RUNNING = "one process", "with --ray", "with --ray, on a cluster that runs"
WAYS = (ALONE, STARTED, RUNNING)
GRAIN = 16  # pixels of a photo to one of its smooth colours
FEW = 4  # photos of the collection that shows what starting takes
COLUMNS = ("way", "seconds", "seconds to start", "ms a photo", "overhead, %", "overhead a photo, %")


def make_collection(folder: Path, count: int, side: int) -> Path:
    """Write `count` photos of `side` x `side` pixels to `folder`: smooth colours with grain; return `folder`."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        coarse = rng.integers(0, 256, (side // GRAIN, side // GRAIN, 3), np.uint8)
        smooth = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        grain = rng.normal(0, 3, (side, side, 3))
        photo = np.clip(np.asarray(smooth) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(photo).save(folder / f"{number:05d}.png")
    return folder


def seconds(photos: Path, output: Path, model: str, flags: tuple[str, ...]) -> float:
    """Return the seconds of the whole command.

    Raises MeasurementFailed where a photo fails, and OverLimit at the end of the row's time.
    """
    command = [sys.executable, "-m", "jaxsr.restore", str(photos), f"--output={output}", f"--model={model}", *flags]
    began = time.perf_counter()
    left = remaining()
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "timeout": None if math.isinf(left) else left}
    try:
        ended = subprocess.run(command, text=True, check=False, **options)
    except subprocess.TimeoutExpired:
        raise OverLimit(f"not done in the {left:.0f} s that were left") from None
    if ended.returncode:
        last = ended.stderr.strip().rpartition("\n")[2]
        raise MeasurementFailed(f"restore ended with {ended.returncode}: {last}")
    return time.perf_counter() - began


@contextlib.contextmanager
def flags_of(way: str) -> Iterator[tuple[str, ...]]:
    """Give the flags of `restore` for a way, with the cluster that it needs for as long as the block."""
    if way != RUNNING:
        yield ("--ray=auto",) if way == STARTED else ()
        return
    from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": os.cpu_count()})
    try:
        yield (f"--ray={cluster.address}",)
    finally:
        cluster.shutdown()


def times(way: str, photos: int, side: int, model: str) -> tuple[float, float, float]:
    """Return the seconds of all photos, of FEW, and of one photo without starting."""
    if way != ALONE and not find_spec("ray"):
        raise MeasurementFailed('Ray is not installed: pip install -e ".[ray]"')
    with tempfile.TemporaryDirectory() as name, flags_of(way) as flags:
        folder = Path(name)
        few = make_collection(folder / "few", FEW, side)
        many = make_collection(folder / "many", photos, side)
        seconds(few, folder / "first", model, flags)  # what the first run compiles, the others find
        start = seconds(few, folder / "few_restored", model, flags)
        whole = seconds(many, folder / "many_restored", model, flags)
    return whole, start, (whole - start) / (photos - FEW)


def measure(way: str, collection: tuple[int, int, str], alone: list[float]) -> Measurement:
    """Return the cells of a row; `alone` are the times of one process, which the first row finds."""
    found = times(way, *collection)
    cells = [f"{found[0]:.1f}", f"{found[1]:.1f}", f"{1000 * found[2]:.1f}"]
    if way == ALONE or not alone:
        alone[:] = found if way == ALONE else times(ALONE, *collection)
    overheads = ["", ""] if way == ALONE else [f"{100 * (found[i] / alone[i] - 1):+.0f}" for i in (0, 2)]
    return Measurement([*cells, *overheads])


def rows(photos: int, side: int, model: str) -> Iterator[Row]:
    """Yield a row for each way."""
    alone: list[float] = []
    for way in WAYS:
        yield Row((way,), functools.partial(measure, way, (photos, side, model), alone))


def tables(*, photos: int = 1000, side: int = 256, model: str = "fsrcnn-x2") -> Iterator[Table]:
    """Yield the table of `photos` of `side` pixels a side; raises UserError for too few photos, or small ones."""
    if photos <= FEW or side < GRAIN:
        raise UserError(
            f"--photos={photos} --side={side}: give more than {FEW} photos, of at least {GRAIN} pixels a side"
        )
    title = f"A collection of {photos} photos of {side}x{side} pixels, {model}"
    yield Table(title, COLUMNS, rows(photos, side, model))


if __name__ == "__main__":
    run(tables)
