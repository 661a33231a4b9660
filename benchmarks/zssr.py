"""Times a step of ZSSR's training on a photo, and on each of several, against the same step in PyTorch, in one run.

pip install -e ".[bench]" && python -m benchmarks.zssr
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.zssr import Trainer
from benchmarks.tables import Table, run
from benchmarks.timing import contest, in_new_process
from jaxsr.blind.zssr.fathers_and_sons import Source, StepSpec, loss_map
from jaxsr.blind.zssr.internal_learning import ADAM, Run, advance, test_run
from jaxsr.blind.zssr.learning_rate import initial_rates
from jaxsr.degradations.downscale import ideal_kernel
from jaxsr.models.zssr import ZSSR

SCALE = 2


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
        for trainer in trainers:
            trainer.step()
        return trainers

    return call


CONTESTANTS = {"jaxsr": in_jax, "PyTorch": in_torch}


def compare(spec: StepSpec) -> None:
    """Check that both contestants learn the same: on a photo of the crop's size there is one father."""
    (photo,) = sources(1, spec.crop)
    ours, theirs = in_jax(spec, [photo]), in_torch(spec, [photo])
    for _ in range(20):
        for call in (ours, theirs):
            call()
    tested = jax.jit(test_run, static_argnums=0)(spec, photo, jax.random.key(0), ours()[0])
    np.testing.assert_allclose(tested.rates.errors[-1], theirs()[0].error(), rtol=1e-3)


def times(crop: int, photos: int, rounds: int) -> dict[str, float]:
    """Return each contestant's seconds for a step on each photo, after `compare`."""
    spec = StepSpec(ZSSR(), SCALE, crop)
    compare(spec)
    data = sources(photos, 2 * crop)
    return contest({name: prepare(spec, data) for name, prepare in CONTESTANTS.items()}, rounds=rounds)


def rows(crop: int, photos: Sequence[int], rounds: int) -> Iterator[list[str]]:
    """Yield a row for each number of photos."""
    for count in photos:
        seconds = in_new_process(times, crop, count, rounds)
        ours, theirs = (1000 * seconds[name] / count for name in CONTESTANTS)
        yield [str(count), f"{ours:.1f}", f"{theirs:.1f}", f"{theirs / ours:.2f}"]


def tables(*, crop: int = 128, photos: Sequence[int] = (1, 4), rounds: int = 3) -> Iterator[Table]:
    """Yield the table of steps on fathers of `crop` pixels, each photo having its own training."""
    columns = ("photos", "jaxsr ms per photo", "eager ms per photo", "eager / jaxsr")
    yield Table(f"ZSSR: a step on a father of {crop}x{crop} pixels, x{SCALE}", columns, rows(crop, photos, rounds), [])


if __name__ == "__main__":
    run(tables)
