"""Prints what the compiler says that a training step of the deep recursive networks holds, with and without remat.

python -m benchmarks.memory
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from absl import flags

from jaxsr.models import MODELS
from jaxsr.models.spec import initial_shapes
from jaxsr.support import app

_BATCH = flags.DEFINE_integer("batch", 64, "patches per step", lower_bound=1)
_PATCH = flags.DEFINE_integer("patch", 41, "side of a patch at the network's input, in pixels", lower_bound=8)
_NETWORKS = flags.DEFINE_list("networks", ["drcn", "rdn"], "networks with the option `remat`")


def temporary_bytes(name: str, scale: int, batch: int, patch: int, *, remat: bool) -> int:
    """Return the bytes beside weights and patches that the gradient of the squared error needs at its peak."""
    module = MODELS[name].module(scale, remat=remat)
    params = initial_shapes(module)["params"]
    small = jax.ShapeDtypeStruct((batch, patch, patch, module.channels), jnp.float32)
    sharp = jax.eval_shape(lambda p, x: module.apply({"params": p}, x), params, small)

    def loss(params, small, sharp):
        return jnp.mean(jnp.square(module.apply({"params": params}, small) - sharp))

    analysis = jax.jit(jax.grad(loss)).lower(params, small, sharp).compile().memory_analysis()
    assert analysis is not None, "this backend tells no memory"
    return analysis.temp_size_in_bytes


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    batch, patch = _BATCH.value, _PATCH.value
    print(f"{batch} patches of {patch}x{patch} pixels, x2, {jax.default_backend()}")
    print("| network | keeping the maps, GiB | with remat, GiB |\n|---|---|---|")
    for name in _NETWORKS.value:
        kept, again = (temporary_bytes(name, 2, batch, patch, remat=remat) / 2**30 for remat in (False, True))
        print(f"| {name} x2 | {kept:.2f} | {again:.2f} |", flush=True)


if __name__ == "__main__":
    app.run(main)
