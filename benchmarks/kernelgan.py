"""Times KernelGAN on one photo and on several at once against PyTorch, in one run.

PyTorch runs the published algorithm as it is written, six layers and one photo at a time; jaxsr as `estimate_kernels`
does, crops included. pip install -e ".[bench]" && python -m benchmarks.kernelgan
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from benchmarks.peers.kernelgan import KernelGAN
from benchmarks.tables import Table, run
from benchmarks.timing import contest, in_new_process
from jaxsr.blind.kernelgan.estimation import estimate_kernels
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.blind.kernelgan.optimization import start, train
from jaxsr.blind.kernelgan.recipes import PAPER

PEER_STEPS = 5
CORNERS = np.array([[20, 30], [40, 10], [0, 64]], np.int32)


def photos(count: int, side: int) -> list[np.ndarray]:
    """Return `count` random photos (side, side, 3) in [0, 1]."""
    return list(np.random.default_rng(0).random((count, side, side, 3), np.float32))


def in_jax(count: int, side: int, steps: int) -> Callable[[], Any]:
    """Return the call that makes `steps` steps on each of `count` photos."""
    pixels, options = photos(count, side), KernelGANOptions(seeds=1, steps=steps)
    return lambda: estimate_kernels(pixels, options)


def in_torch(side: int) -> Callable[[], Any]:
    """Return the call that makes PEER_STEPS steps on one photo in PyTorch."""
    peer = KernelGAN(2 * photos(1, side)[0].transpose(2, 0, 1) - 1)
    return lambda: [peer.step(CORNERS[0], CORNERS[1]) for _ in range(PEER_STEPS)]


def compare(side: int) -> None:
    """Check that both make the same steps from the same weights: the generator's losses, which no noise enters."""
    planes = 2 * photos(1, side)[0].transpose(2, 0, 1) - 1
    state = jax.jit(start)(jax.random.key(0), planes)
    peer = KernelGAN(planes)
    peer.copy_weights(*(jax.tree.map(np.asarray, tree) for tree in (state.generator, state.discriminator)))
    peer.copy_directions(jax.tree.map(np.asarray, state.directions))
    program = jax.jit(train, static_argnames="recipe")
    _, losses = program(state, (CORNERS, CORNERS), len(CORNERS), recipe=PAPER)
    expected = [peer.step(corner, corner)[0] for corner in CORNERS]
    np.testing.assert_allclose(losses[:, 0], expected, rtol=1e-2)  # Adam's first moves are signs of gradients


def times(count: int, side: int, steps: int, rounds: int) -> tuple[float, float]:
    """Return the seconds a step on one photo takes jaxsr, with `count` at once, and PyTorch."""
    compare(side)
    calls = {"jaxsr": in_jax(count, side, steps), "PyTorch": in_torch(side)}
    found = contest(calls, rounds=rounds)
    return found["jaxsr"] / (count * steps), found["PyTorch"] / PEER_STEPS


def rows(photos: Sequence[int], side: int, steps: int, rounds: int) -> Iterator[list[str]]:
    """Yield a row for each number of photos at once."""
    for count in photos:
        ours, theirs = in_new_process(times, count, side, steps, rounds)
        yield [str(count), f"{1000 * ours:.2f}", f"{1000 * theirs:.1f}", f"{theirs / ours:.1f}"]


def tables(*, photos: Sequence[int] = (1, 8), side: int = 256, steps: int = 300, rounds: int = 3) -> Iterator[Table]:
    """Yield the table of photos of `side` pixels; jaxsr makes so many `steps` in a call, a kernel takes 3000."""
    columns = ("photos at once", "jaxsr ms", "eager ms", "eager / jaxsr")
    title = f"KernelGAN: photos of {side}x{side} pixels, a step on one photo"
    yield Table(title, columns, rows(photos, side, steps, rounds), [])


if __name__ == "__main__":
    run(tables)
