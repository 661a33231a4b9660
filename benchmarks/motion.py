"""Times random motion kernels against plain loops over positions and pixels, one kernel of which is timed and scaled.

pip install -e ".[bench]" && python -m benchmarks.motion
"""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from benchmarks.timing import contest, machine
from jaxsr.imaging.motion import EXPOSURES, draw_motion, official_kernels
from jaxsr.support import app
from tests.reference import motion as reference

_COUNT = flags.DEFINE_integer("count", 1000, "kernels", lower_bound=1)
_SIZE = flags.DEFINE_integer("size", 64, "side of a kernel, in pixels", lower_bound=3)
_STEPS = flags.DEFINE_integer("steps", 2000, "positions of a path", lower_bound=2)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "turns of each contestant", lower_bound=1)


def in_jax(count: int, size: int, steps: int, exposures: Sequence[float]) -> Callable[[], jax.Array]:
    """Return the call that draws `count` paths and makes their kernels."""
    draw = jax.jit(
        functools.partial(draw_motion, count=count, size=size, steps=steps, exposures=tuple(exposures), length=size - 4)
    )
    keys = iter(jax.random.split(jax.random.key(0), 1000))
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


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    count, size, steps = _COUNT.value, _SIZE.value, _STEPS.value
    compare(size, steps)
    print(f"{machine()}; {count} kernels of {size}x{size} pixels, from paths of {steps} positions")
    print("| exposures of a path | jaxsr s | loops s, from one kernel | loops / jaxsr |\n|---|---|---|---|")
    for exposures in ((1.0,), EXPOSURES):
        calls = {"jaxsr": in_jax(count, size, steps, exposures), "loops": in_loops(size, steps, exposures)}
        seconds = contest(calls, rounds=_ROUNDS.value)
        ours, theirs = seconds["jaxsr"], count * seconds["loops"]
        print(f"| {len(exposures)} | {ours:.2f} | {theirs:.1f} | {theirs / ours:.0f} |", flush=True)


if __name__ == "__main__":
    app.run(main)
