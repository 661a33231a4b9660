"""How large tiles may be, how many a device takes at once, and what another program costs, on this machine's devices.

On a CPU, tiles fit its caches and compiling costs little. An accelerator wants whole photos, or tiles as large as its
memory holds, and compiling takes it as long as restoring a hundred megapixels.
"""

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.devices.meshes import on_accelerator
from jaxsr.models.forward import ForwardSpec, run_network
from jaxsr.models.spec import initial_shapes
from jaxsr.support.memory import free_memory
from jaxsr.support.types import Tree

COMPILE_COST_PIXELS = 1 << 18  # extra pixels that cost as much as one compilation on a CPU
ACCELERATOR_COMPILE_COST = 1 << 27  # on a GPU: 10 to 20 seconds, at 4 to 16 megapixels a second
MAX_PIXELS = 1 << 22  # of a tile, or of all that a device takes at once: more fill a GPU no better
MAX_ELEMENTS = 1 << 30  # of one array: kernels of cuDNN count them in 32 bits
MAX_PHOTOS = 8  # that a device takes at once
LIVE_ARRAYS = 6  # of the size of the largest, that are in memory at the same time
SAMPLE_SIDE = 64  # of the photo on which arrays are measured


class TileLimits(NamedTuple):
    """What bounds the tiles of a photo.

    Attributes:
        at_once: pixels of LR photos that a device takes at once; 0 where it takes one tile, as a CPU's core does.
        compile_cost: pixels that cost as much as one compilation.
    """

    at_once: int = 0
    compile_cost: int = COMPILE_COST_PIXELS

    @property
    def largest_side(self) -> int | None:
        """The side of the largest square tile; None where `best_tile` has its own."""
        return math.isqrt(self.at_once) // 32 * 32 if self.at_once else None

    def holds(self, height: int, width: int) -> bool:
        """Return whether a device takes a photo of this size whole."""
        return height * width <= self.at_once

    def tiles_at_once(self, height: int, width: int) -> int:
        """Return how many tiles of this size a device takes at once."""
        return max(self.at_once // (height * width), 1)


CPU_LIMITS = TileLimits()


def tile_limits(spec: ForwardSpec, *, ensemble: bool, share: float) -> TileLimits:
    """Return the TileLimits of the network of `spec` on this machine's devices.

    An accelerator may use a `share` of its free memory for arrays between layers, which are measured by tracing the
    network, and of which a self-ensemble has four times as many.
    """
    if not on_accelerator():
        return CPU_LIMITS
    elements = _elements_per_pixel(spec) * (4 if ensemble else 1)
    size = 2 if spec.precision == "bf16" else 4
    room = share * free_memory(jax.local_devices()[0]) / (LIVE_ARRAYS * size * elements)
    return TileLimits(int(min(MAX_PIXELS, MAX_ELEMENTS / elements, room)), ACCELERATOR_COMPILE_COST)


@functools.lru_cache(maxsize=64)
def _elements_per_pixel(spec: ForwardSpec) -> float:
    """Return how many numbers the largest array of a network on photos has for each of their pixels."""
    shapes = initial_shapes(spec.module)
    photos = jax.ShapeDtypeStruct((1, SAMPLE_SIDE, SAMPLE_SIDE, spec.channels), jnp.float32)
    program = jax.make_jaxpr(functools.partial(run_network, spec))({"params": {}, **shapes}, photos)
    return max(_sizes(program.jaxpr)) / SAMPLE_SIDE**2


def _sizes(jaxpr: Tree) -> Iterator[int]:
    """Yield the number of elements of every image-like array that a program makes, inside loops too."""
    for equation in jaxpr.eqns:
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_has_equations):
            if _has_equations(inner):
                yield from _sizes(getattr(inner, "jaxpr", inner))
        for variable in equation.outvars:
            shape = getattr(variable.aval, "shape", ())
            if len(shape) == 4:
                yield int(np.prod(shape))


def _has_equations(x: object) -> bool:
    return hasattr(x, "eqns") or hasattr(getattr(x, "jaxpr", None), "eqns")
