"""Times random motion kernels against plain loops over positions and pixels, one kernel of which is timed and scaled.

pip install -e ".[bench]" && python -m benchmarks.motion
"""

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.timing import contest
from benchmarks.workers import in_new_process
from jaxsr.degradations.camera_shake import EXPOSURES, draw_motion, official_kernels
from tests.reference import motion as reference


def in_jax(count: int, size: int, steps: int, exposures: Sequence[float]) -> Callable[[], jax.Array]:
    """Return the call that draws `count` paths and makes their kernels."""
    draw = jax.jit(
        functools.partial(draw_motion, count=count, size=size, steps=steps, exposures=tuple(exposures), length=size - 4)
    )
    keys = itertools.cycle(jax.random.split(jax.random.key(0), 1000))  # a turn may have more calls
    return lambda: jax.block_until_ready(draw(next(keys)))


def in_loops(size: int, steps: int, exposures: Sequence[float]) -> Callable[[], np.ndarray]:
    """Return the same call for one path, in loops."""
    rng = np.random.default_rng(0)

    def call() -> np.ndarray:
        path = reference.place(reference.trajectory(reference.draw(rng, steps), size - 4), size)
        return reference.psf(path, exposures, size)

    return call


def compare(size: int, steps: int) -> None:
    """Check that both make the same kernels of one path."""
    path = reference.place(reference.trajectory(reference.draw(np.random.default_rng(0), steps), size - 4), size)
    expected = reference.psf(path, EXPOSURES, size)
    ours = jax.jit(official_kernels, static_argnums=(1, 2))(jnp.asarray(path[None], jnp.complex64), EXPOSURES, size)[0]
    np.testing.assert_allclose(ours, expected, atol=1e-5 * expected.max())


def times(count: int, size: int, steps: int, exposures: Sequence[float], rounds: int) -> dict[str, float]:
    """Return the seconds of jaxsr for `count` kernels, and of the loops for one, after `compare`."""
    compare(size, steps)
    calls = {"jaxsr": in_jax(count, size, steps, exposures), "loops": in_loops(size, steps, exposures)}
    return contest(calls, rounds=rounds)


def rows(count: int, size: int, steps: int, rounds: int) -> Iterator[Row]:
    """Yield a row for one exposure of a path and one for all."""
    for exposures in ((1.0,), EXPOSURES):
        yield Row((str(len(exposures)),), functools.partial(measure, count, size, steps, exposures, rounds))


def measure(count: int, size: int, steps: int, exposures: Sequence[float], rounds: int) -> Measurement:
    """Return the cells of a row."""
    seconds = in_new_process(times, count, size, steps, exposures, rounds)
    ours, theirs = seconds["jaxsr"], count * seconds["loops"]
    return Measurement([f"{ours:.2f}", f"{theirs:.1f}", f"{theirs / ours:.0f}"])


def tables(*, count: int = 1000, kernel_size: int = 64, steps: int = 2000, rounds: int = 3) -> Iterator[Table]:
    """Yield the table of `count` kernels of `kernel_size` pixels a side, from paths of so many positions."""
    columns = ("exposures of a path", "jaxsr s", "loops s, from one kernel", "loops / jaxsr")
    title = (
        f"Random camera shake: {count} kernels of {kernel_size}x{kernel_size} pixels, from paths of {steps} positions"
    )
    yield Table(title, columns, rows(count, kernel_size, steps, rounds))


if __name__ == "__main__":
    run(tables)
