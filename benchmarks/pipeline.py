"""Times the input alone, patches from photos to a network's input: each feed of jaxsr, and a DataLoader of PyTorch.

jaxsr's include the degradation, which is a part of the step. On PNG photos made for it.
pip install -e ".[bench]" && python -m benchmarks.pipeline
"""

import functools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from benchmarks import training
from benchmarks.peers.loader import loader
from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.timing import contest
from benchmarks.workers import in_new_process
from configs import deblurgan, fsrcnn
from jaxsr.data.builder import write_data_set
from jaxsr.devices import parallel
from jaxsr.models import MODELS
from jaxsr.support.types import Metrics, Tree
from jaxsr.training.config import Config
from jaxsr.training.tasks.task_table import task_of

SCALE = 3
PHOTOS = 24
SIZE = (481, 321)  # pixels, as BSDS has them
BLURRED = 128  # side of a blurred patch, in pixels


def make_photos(folder: Path) -> dict[str, np.ndarray]:
    """Write photos to `folder` as PNG files and return them by name: smooth colours, with the grain of real ones."""
    rng = np.random.default_rng(0)
    photos = {}
    for i in range(PHOTOS):
        coarse = Image.fromarray(rng.integers(0, 256, (21, 31, 3), np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
        photos[f"{i}.png"] = np.clip(np.asarray(coarse) + rng.normal(0, 3, (*SIZE[::-1], 3)), 0, 255).astype(np.uint8)
        Image.fromarray(photos[f"{i}.png"]).save(folder / f"{i}.png")
    return photos


def resident(folder: Path) -> Config:
    """Return the config of FSRCNN x3 on the photos, which live on the device."""
    config = fsrcnn.get_config(f"x{SCALE}")
    config.data.train = str(folder / "photos")
    return config


def streamed(folder: Path) -> Config:
    """Return the same on a prepared data set, read by grain."""
    config = resident(folder)
    config.data.train = str(folder / "set")
    return config


def blurred(folder: Path) -> Config:
    """Return DeblurGAN's on photos that random camera shake blurs."""
    config = deblurgan.get_config("synth")
    config.data.train, config.data.patch, config.batch_size = str(folder / "photos"), BLURRED, 16
    return config


FEEDS = {"photos on the device": resident, "a prepared data set": streamed, "blurred by random shake": blurred}


def feed_seconds(name: str, folder: Path, rounds: int) -> float:
    """Return the seconds that a feed takes for a batch, of `rounds` of 20, up to the batches on the devices."""
    config = FEEDS[name](folder)
    spec, devices = MODELS[config.model.name], parallel.devices(config.batch_size)
    task = task_of(config)
    feed = task.open_feed(config, task.crop_size(config, spec), devices)
    share = parallel.share_of(config.batch_size, devices)

    def batches(step: jax.Array, _: Tree, data: Tree, count: jax.Array) -> tuple[jax.Array, Metrics]:
        keys = parallel.example_keys(jax.random.key(0), step, share)
        (batch,) = task.make_batch(config, spec, feed.draw(data, jnp.int32(0), keys), keys).values()
        return step + 1, {"mean": parallel.average_over_devices(batch.lr.mean() + batch.hr.mean())}

    program = parallel.compile_steps(batches, devices, sharded_data=feed.sharded)
    held = [parallel.replicate(jnp.int32(0), devices)]

    def call() -> None:
        for _ in range(20):
            held[0], metrics = program(held[0], {}, feed.data(1), 1)
        metrics["mean"].block_until_ready()

    return contest({name: call}, rounds=rounds)[name] / 20


def loader_seconds(folder: Path, patch: int, batch: int, batches: int) -> float:
    """Return the seconds that PyTorch's DataLoader takes for a batch, with a worker for each core."""
    paths = sorted((folder / "photos").iterdir())
    workers = len(os.sched_getaffinity(0))
    given = iter(loader(paths, patch=patch, scale=SCALE, batch=batch, batches=batches + 2 * workers, workers=workers))
    for _ in range(2 * workers):  # which were read while they started
        next(given)
    start = time.perf_counter()
    for _ in range(batches):
        next(given)
    return (time.perf_counter() - start) / batches


def step_seconds(patch: int, batch: int, rounds: int) -> float:
    """Return the seconds of FSRCNN's step."""
    call: Callable[[], float] = training.prepare("jaxsr", "fsrcnn", SCALE, patch, batch, "float32")
    return contest({"step": call}, rounds=rounds)["step"]


def rows(rounds: int) -> Iterator[Row]:
    """Yield a row for each feed, the loader, and FSRCNN's step."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "photos").mkdir()
        photos = make_photos(folder / "photos")
        write_data_set(folder / "set", {"train": iter(photos.items())})
        config = resident(folder)
        patch, batch = config.data.patch, config.batch_size
        found = {name: (blurred(folder) if name == "blurred by random shake" else config) for name in FEEDS}
        for name, taken in found.items():
            measure = functools.partial(in_new_process, feed_seconds, name, folder, rounds)
            yield row(f"jaxsr: {name}", taken.data.patch, taken.batch_size, measure)
        measure = functools.partial(in_new_process, loader_seconds, folder, patch, batch, 20 * rounds)
        yield row("PyTorch: DataLoader of PNG files", patch, batch, measure)
        measure = functools.partial(in_new_process, step_seconds, patch, batch, rounds)
        yield row("FSRCNN's step in jaxsr takes", patch, batch, measure)


def row(name: str, patch: int, batch: int, seconds_of: Callable[[], float]) -> Row:
    """Return the row of what takes `seconds_of()` for a batch."""

    def measure() -> Measurement:
        seconds = seconds_of()
        return Measurement([f"{1000 * seconds:.2f}", f"{batch / seconds:.0f}"])

    return Row((name, f"{batch} of {patch}x{patch}"), measure)


def tables(*, rounds: int = 3) -> Iterator[Table]:
    """Yield the table."""
    title = f"Input alone: FSRCNN x{SCALE}, {PHOTOS} photos of {SIZE[0]}x{SIZE[1]}"
    yield Table(title, ("feed", "patches", "ms", "patches/s"), rows(rounds))


if __name__ == "__main__":
    run(tables)
