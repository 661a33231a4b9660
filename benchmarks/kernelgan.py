"""Times KernelGAN on one photo and on several at once against PyTorch, in one run.

PyTorch runs the published algorithm as it is written, six layers and one photo at a time; jaxsr as `estimate_kernels`
does, crops included. pip install -e ".[bench]" && python -m benchmarks.kernelgan
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from absl import flags

from benchmarks.peers.kernelgan import KernelGAN
from benchmarks.timing import contest, in_new_process, machine
from jaxsr.blind.estimation import estimate_kernels
from jaxsr.blind.kernelgan import PAPER, start, train
from jaxsr.support import app

_PHOTOS = flags.DEFINE_list("photos", ["1", "2", "8"], "how many photos at once, a row each")
_SIDE = flags.DEFINE_integer("side", 256, "side of a photo, in pixels", lower_bound=86)
_STEPS = flags.DEFINE_integer("steps", 300, "steps of jaxsr in a call; a kernel takes 3000", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "turns of each contestant", lower_bound=1)
PEER_STEPS = 5
CORNERS = np.array([[20, 30], [40, 10], [0, 64]], np.int32)


def photos(count: int, side: int) -> list[np.ndarray]:
    """Return `count` random photos (side, side, 3) in [0, 1]."""
    return list(np.random.default_rng(0).random((count, side, side, 3), np.float32))


def in_jax(count: int, side: int, steps: int) -> Callable[[], Any]:
    """Return the call that makes `steps` steps on each of `count` photos."""
    given = photos(count, side)
    return lambda: estimate_kernels(given, steps=steps)


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
    program = jax.jit(train, static_argnames="fidelity")
    _, losses = program(state, (CORNERS, CORNERS), len(CORNERS), fidelity=PAPER)
    expected = [peer.step(corner, corner)[0] for corner in CORNERS]
    np.testing.assert_allclose(losses[:, 0], expected, rtol=1e-2)  # Adam's first moves are signs of gradients


def times(count: int, side: int, steps: int, rounds: int) -> tuple[float, float]:
    """Return the seconds a step on one photo takes jaxsr, with `count` at once, and PyTorch."""
    compare(side)
    calls = {"jaxsr": in_jax(count, side, steps), "PyTorch": in_torch(side)}
    found = contest(calls, rounds=rounds)
    return found["jaxsr"] / (count * steps), found["PyTorch"] / PEER_STEPS


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    print(f"{machine()}; photos of {_SIDE.value}x{_SIDE.value} pixels, a step on one photo")
    print("| photos at once | jaxsr ms | PyTorch ms | PyTorch / jaxsr |\n|---|---|---|---|")
    for count in map(int, _PHOTOS.value):
        ours, theirs = in_new_process(times, count, _SIDE.value, _STEPS.value, _ROUNDS.value)
        print(f"| {count} | {1000 * ours:.2f} | {1000 * theirs:.1f} | {theirs / ours:.1f} |", flush=True)


if __name__ == "__main__":
    app.run(main)
