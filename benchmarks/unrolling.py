"""Whether a GPU should unroll the loops over blocks: `python -m benchmarks.unrolling [--networks=vdsr,rdn,danv2]`.

Networks run their equal blocks in a loop (`scan`), which compiles fast. XLA can unroll it on a GPU: fewer launches,
more fusion, longer compiling. Printed are for each network the milliseconds of one photo and the seconds of compiling,
as it is and with each kind of unrolling, in each precision, and by how much results differ. On a CPU nothing changes.
"""

import functools
import time
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from benchmarks.cases import SIZES
from jaxsr.models.forward import run_network
from jaxsr.models.precision import PRECISIONS
from jaxsr.support import command_line
from jaxsr.support.errors import choose
from jaxsr.weights import create

OPTION = "xla_gpu_enable_while_loop_unrolling"
KINDS = {
    "loop": {},
    "two at a time": {OPTION: "WHILE_LOOP_UNROLLING_DOUBLE_BUFFER"},
    "unrolled": {OPTION: "WHILE_LOOP_UNROLLING_FULL_UNROLL"},
}
COLUMNS = ("network", "precision", "loop over blocks", "ms", "compiling, s", "difference")
CALLS = 10


_NETWORKS = flags.DEFINE_list("networks", ["vdsr", "rdn", "danv1", "danv2"], "Of which networks.")
_SIDE = flags.DEFINE_integer("side", 256, "Side of the photo in pixels.")


def main(_: Sequence[str]) -> None:
    """Print the table row by row."""
    for name in _NETWORKS.value:
        choose("network", name, SIZES)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for row in _rows(_NETWORKS.value, _SIDE.value):
        print(f"| {' | '.join(row)} |", flush=True)


def _rows(networks: Sequence[str], side: int) -> Iterator[list[str]]:
    for name in networks:
        model = create(name, scale=SIZES[name].scale, key=jax.random.key(0))
        photo = jnp.asarray(np.random.default_rng(0).random((1, side, side, 3)), jnp.float32)
        for precision in PRECISIONS:
            program = functools.partial(run_network, model.forward_spec(precision=precision))
            lowered, exact = jax.jit(program).lower(model.variables, photo), None
            for kind, options in KINDS.items():
                began = time.perf_counter()
                compiled = lowered.compile(compiler_options=options)
                seconds = time.perf_counter() - began
                call = functools.partial(compiled, jax.device_put(model.variables), photo)
                image = np.asarray(call()[0])
                exact = image if exact is None else exact
                error = np.linalg.norm(image - exact) / np.linalg.norm(exact)
                yield [name, precision, kind, f"{_milliseconds(call):.2f}", f"{seconds:.1f}", f"{error:.1e}"]


def _milliseconds(call: functools.partial) -> float:
    """Return the median time of a call."""
    taken = []
    for _ in range(CALLS):
        began = time.perf_counter()
        jax.block_until_ready(call())
        taken.append(1000 * (time.perf_counter() - began))
    return float(np.median(taken))


if __name__ == "__main__":
    command_line.run(main)
