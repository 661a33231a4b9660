"""Times KernelGAN on one photo and on several at once against PyTorch, in one run.

PyTorch runs the published algorithm as it is written, six layers and one photo at a time, on the GPU where jaxsr is;
jaxsr as `estimate_kernels` does, crops included. pip install -e ".[bench]" && python -m benchmarks.kernelgan
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import jax
import numpy as np

from benchmarks.peers.kernelgan import KernelGAN
from benchmarks.tables import Measurement, Row, Table, run
from benchmarks.timing import contest_of_workers
from benchmarks.trials import relative_error
from benchmarks.workers import Worker, in_new_process
from jaxsr.blind.kernelgan.estimation import estimate_kernels
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.blind.kernelgan.optimization import start, train
from jaxsr.blind.kernelgan.recipes import PAPER

PEER_STEPS = 5
TOLERANCE = 1e-2  # Adam's first moves are signs of gradients
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


def error_of(side: int) -> float:
    """Return how far both are apart after steps from the same weights, by the losses that no noise enters."""
    planes = 2 * photos(1, side)[0].transpose(2, 0, 1) - 1
    state = jax.jit(start)(jax.random.key(0), planes)
    peer = KernelGAN(planes)
    peer.copy_weights(*(jax.tree.map(np.asarray, tree) for tree in (state.generator, state.discriminator)))
    peer.copy_directions(jax.tree.map(np.asarray, state.directions))
    program = jax.jit(train, static_argnames="recipe")
    _, losses = program(state, (CORNERS, CORNERS), len(CORNERS), recipe=PAPER)
    return relative_error(np.asarray(losses[:, 0]), np.array([peer.step(corner, corner)[0] for corner in CORNERS]))


def measure(count: int, side: int, steps: int, rounds: int) -> Measurement:
    """Return the cells of a row: a step on one photo, with `count` at once, and in PyTorch."""
    error = in_new_process(error_of, side)
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(as_command=name == "jaxsr")) for name in ("jaxsr", "eager")}
        workers["jaxsr"].prepare(in_jax, count, side, steps)
        workers["eager"].prepare(in_torch, side)
        found = contest_of_workers(workers, rounds=rounds)
    ours, theirs = found["jaxsr"] / (count * steps), found["eager"] / PEER_STEPS
    differs = error > TOLERANCE
    cells = [f"{1000 * ours:.2f}", f"{1000 * theirs:.1f}", f"{theirs / ours:.1f}", f"{error:.0e}"]
    return Measurement(cells, f"{count}: jaxsr differs from eager by {error:.1e}." if differs else "")


def rows(photos: Sequence[int], side: int, steps: int, rounds: int) -> Iterator[Row]:
    """Yield a row for each number of photos at once."""
    for count in photos:
        yield Row((str(count),), functools.partial(measure, count, side, steps, rounds))


def tables(*, photos: Sequence[int] = (1, 8), side: int = 256, steps: int = 300, rounds: int = 3) -> Iterator[Table]:
    """Yield the table of photos of `side` pixels; jaxsr makes so many `steps` in a call, a kernel takes 3000."""
    columns = ("photos at once", "jaxsr ms", "eager ms", "eager / jaxsr", "error")
    title = f"KernelGAN: photos of {side}x{side} pixels, a step on one photo"
    yield Table(title, columns, rows(photos, side, steps, rounds))


if __name__ == "__main__":
    run(tables)
