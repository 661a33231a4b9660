"""Prints what the compiler says that a training step of the deep networks holds, with and without an option of theirs.

That is rematerialisation for those with recursions or many blocks, and for DAN learning through all rounds.
python -m benchmarks.memory
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from absl import flags

from jaxsr.models import MODELS, restored
from jaxsr.models.spec import initial_shapes
from jaxsr.support import app

OPTIONS = {"drcn": "remat", "rdn": "remat", "danv1": "backpropagate_all", "danv2": "backpropagate_all"}

_BATCH = flags.DEFINE_integer("batch", 64, "patches per step", lower_bound=1)
_PATCH = flags.DEFINE_integer("patch", 41, "side of a patch at the network's input, in pixels", lower_bound=8)
_NETWORKS = flags.DEFINE_list("networks", list(OPTIONS), "networks with such an option")


def temporary_bytes(name: str, scale: int, batch: int, patch: int, **options: bool) -> int:
    """Return the bytes beside weights and patches that the gradient of the squared error needs at its peak."""
    module = MODELS[name].module(scale, **options)
    variables = initial_shapes(module)
    small = jax.ShapeDtypeStruct((batch, patch, patch, module.channels), jnp.float32)
    sharp = restored(jax.eval_shape(module.apply, variables, small))

    def loss(params, others, small, sharp):
        return jnp.mean(jnp.square(restored(module.apply({**others, "params": params}, small)) - sharp))

    params = variables.pop("params")
    analysis = jax.jit(jax.grad(loss)).lower(params, variables, small, sharp).compile().memory_analysis()
    assert analysis is not None, "this backend tells no memory"
    return analysis.temp_size_in_bytes


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    batch, patch = _BATCH.value, _PATCH.value
    print(f"{batch} patches of {patch}x{patch} pixels, x2, {jax.default_backend()}")
    print("| network | option | without, GiB | with, GiB |\n|---|---|---|---|")
    for name in _NETWORKS.value:
        option = OPTIONS[name]
        gibibytes = [temporary_bytes(name, 2, batch, patch, **{option: on}) / 2**30 for on in (False, True)]
        print(f"| {name} x2 | `{option}` | {gibibytes[0]:.2f} | {gibibytes[1]:.2f} |", flush=True)


if __name__ == "__main__":
    app.run(main)
