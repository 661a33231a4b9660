"""Names for what annotations speak of often. Trees are nested dictionaries (or records) whose leaves are arrays."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import jax
import numpy as np

Tree: TypeAlias = Any  # a pytree of arrays: gradients, optimiser states, metrics of a step
Params: TypeAlias = Mapping[str, Any]  # nested dictionary of trainable arrays: {"conv1": {"kernel": x, "bias": y}}
Variables: TypeAlias = Mapping[str, Params]  # Flax collections: {"params": ..., "batch_stats": ...}
Key: TypeAlias = jax.Array  # a PRNG key, () of a key dtype
AnyArray: TypeAlias = np.ndarray | jax.Array
Record: TypeAlias = Mapping[str, np.ndarray]  # of a data set: `hr` (H, W, 3) uint8, `blur` of pairs, `name` (bytes)
Json: TypeAlias = Any  # what json.loads returns
Metrics: TypeAlias = dict[str, jax.Array]  # scalars of a training step, by name
Progress: TypeAlias = Callable[[int, int], object]  # progress(done, total)


class Device(Protocol):
    """A jax.Device, as far as jaxsr asks anything of it; jaxlib has no types for type checkers."""

    platform: str  # "cpu", "gpu", "tpu"
    process_index: int

    def memory_stats(self) -> dict[str, int] | None:
        """Return the bytes in use and the limit; None where the backend does not count them."""
        ...
