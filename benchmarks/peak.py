"""What the machine can do at most: float32 products of large square matrices, and how much of it a call needs."""

import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import torch  # pyright: ignore[reportMissingImports]
from torch.utils.flop_counter import FlopCounterMode  # pyright: ignore[reportMissingImports]

from benchmarks.peers.accelerator import DEVICE
from benchmarks.workers import in_new_process

SIDE = 4096  # of the matrices
TRIES = 6


@functools.cache
def matrix_peak() -> float:
    """Return the floating-point operations a second of a matrix product, measured once, in a new process."""
    return in_new_process(measured_peak, SIDE, TRIES, cores_as_devices=False)


def measured_peak(side: int, tries: int) -> float:
    """Return the most operations a second that JAX or PyTorch did of `tries` products of `side` x `side` matrices."""
    ones = torch.ones((side, side), device=DEVICE)
    there = jnp.ones((side, side))
    product = jax.jit(jnp.matmul)
    calls = (lambda: (ones @ ones)[0, 0].item(), lambda: jax.block_until_ready(product(there, there)))
    return max(2 * side**3 / _seconds(call) for _ in range(tries + 1) for call in calls)


def operations(call: Callable[[], Any]) -> int:
    """Return the multiplications and additions of the convolutions and matrix products that PyTorch does in `call`."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
