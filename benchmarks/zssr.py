"""Times a step of ZSSR's training on a photo, and on each of several, against the same step in PyTorch, in one run.

pip install -e ".[bench]" && python -m benchmarks.zssr
"""

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import jax
import jax.numpy as jnp
import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.peers.zssr import Trainer
from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.timing import contest_of_workers
from benchmarks.trials import relative_error
from benchmarks.workers import Worker, in_new_process
from jaxsr.blind.zssr.fathers_and_sons import Source, StepSpec, loss_map
from jaxsr.blind.zssr.internal_learning import ADAM, Run, advance, test_run
from jaxsr.blind.zssr.learning_rate import initial_rates
from jaxsr.degradations.downscale import ideal_kernel
from jaxsr.models.zssr import ZSSR

SCALE = 2
TOLERANCE = 1e-3


def sources(count: int, side: int) -> list[Source]:
    """Return `count` random photos to learn from."""
    photos = np.random.default_rng(0).random((count, side, side, 3), np.float32)
    kernel = jnp.asarray(ideal_kernel(SCALE), jnp.float32)
    return [Source(jnp.asarray(photo), loss_map(photo), kernel) for photo in photos]


def initial_run() -> Run:
    """Return the start of a training."""
    params = jax.jit(ZSSR().init)(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))["params"]
    return Run(jnp.int32(0), params, ADAM.init(params), initial_rates())


def in_jax(spec: StepSpec, photos: Sequence[Source]) -> Callable[[], list[Run]]:
    """Return the call that makes a step on each photo, the devices in turn, and returns where they stand."""
    devices = itertools.cycle(jax.local_devices())
    placed = [jax.device_put((photo, jax.random.key(1), initial_run()), next(devices)) for photo in photos]
    sources, keys, runs = map(list, zip(*placed, strict=True))

    def call() -> list[Run]:
        runs[:] = [advance(spec, *photo, 1) for photo in zip(sources, keys, runs, strict=True)]
        return jax.block_until_ready(runs)

    return call


def in_torch(spec: StepSpec, photos: Sequence[Source]) -> Callable[[], list[Trainer]]:
    """Return the same call in PyTorch."""
    trainers = [Trainer(initial_run().params, photo, spec.scale, spec.crop) for photo in photos]

    def call() -> list[Trainer]:
        losses = [trainer.step() for trainer in trainers]
        torch.stack(losses).cpu()  # waits for a GPU
        return trainers

    return call


CONTESTANTS = {"jaxsr": in_jax, "eager": in_torch}


def prepare(contestant: str, crop: int, photos: int) -> Callable[[], object]:
    """Return a contestant's call, for a process of its own."""
    return CONTESTANTS[contestant](StepSpec(ZSSR(), SCALE, crop), sources(photos, 2 * crop))


def error_of(crop: int) -> float:
    """Return how far apart both have learned in 20 steps: on a photo of the crop's size there is one father."""
    spec = StepSpec(ZSSR(), SCALE, crop)
    (photo,) = sources(1, spec.crop)
    ours, theirs = in_jax(spec, [photo]), in_torch(spec, [photo])
    for _ in range(20):
        for call in (ours, theirs):
            call()
    tested = jax.jit(test_run, static_argnums=0)(spec, photo, jax.random.key(0), ours()[0])
    return relative_error(np.asarray(tested.rates.errors[-1]), np.asarray(theirs()[0].error(), np.float32))


def measure(crop: int, count: int, rounds: int) -> Measurement:
    """Return the cells of a row: a step on each of `count` photos."""
    error = in_new_process(error_of, crop)
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(as_command=name == "jaxsr")) for name in CONTESTANTS}
        for name, worker in workers.items():
            worker.prepare(prepare, name, crop, count)
        ours, theirs = (1000 * seconds / count for seconds in contest_of_workers(workers, rounds=rounds).values())
    note = f"{count}: jaxsr differs from eager by {error:.1e}." if error > TOLERANCE else ""
    return Measurement([f"{ours:.1f}", f"{theirs:.1f}", f"{theirs / ours:.2f}", f"{error:.0e}"], note)


def rows(crop: int, photos: Sequence[int], rounds: int) -> Iterator[Row]:
    """Yield a row for each number of photos."""
    for count in photos:
        yield Row((str(count),), functools.partial(measure, crop, count, rounds))


def tables(*, crop: int = 128, photos: Sequence[int] = (1, 4), rounds: int = 3) -> Iterator[Table]:
    """Yield the table of steps on fathers of `crop` pixels, each photo having its own training."""
    columns = ("photos", "jaxsr ms per photo", "eager ms per photo", "eager / jaxsr", "error")
    yield Table(f"ZSSR: a step on a father of {crop}x{crop} pixels, x{SCALE}", columns, rows(crop, photos, rounds))


if __name__ == "__main__":
    run(tables)
