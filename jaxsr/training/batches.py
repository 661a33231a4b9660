"""What a step learns from: network inputs and targets, made on the device from crops."""

from typing import NamedTuple

import jax


class Batch(NamedTuple):
    """Network inputs and targets at one scale; images are float32 in [0, 1].

    `lr` (N, h, w, C) is the network's input and `hr` (N, H, W, C) its target. `kernels` (N, k, k) blurred one into the
    other, where a task knows them. Tasks with references have a `reference` image (N, H, W, 3), the matched
    `positions` (N, h-2, w-2, 3) in it, and their cosine `similarity` (N, h-2, w-2).
    """

    lr: jax.Array
    hr: jax.Array
    kernels: jax.Array | None = None
    reference: jax.Array | None = None
    positions: jax.Array | None = None
    similarity: jax.Array | None = None


Batches = dict[int, Batch]  # by scale
