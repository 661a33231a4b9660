"""Whether a GPU should unroll the loops over blocks: `python -m benchmarks.unrolling [--networks=vdsr,rdn,danv2]`.

Networks run their equal blocks in a loop (`scan`), which compiles fast. XLA can unroll it on a GPU: fewer launches,
more fusion, longer compiling. Printed are for each network the milliseconds of one photo and the seconds of compiling,
as it is and with each kind of unrolling, in each precision, and by how much results differ. On a CPU nothing changes.
"""

import functools
import itertools
import time
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from benchmarks.arguments import check_names, check_no_more
from benchmarks.cases import SIZES
from jaxsr.models.forward import run_network
from jaxsr.models.precision import PRECISIONS
from jaxsr.support import command_line
from jaxsr.support.types import Variables
from jaxsr.weights import create

OPTION = "xla_gpu_enable_while_loop_unrolling"
KINDS: dict[str, dict[str, str | bool]] = {
    "loop": {},
    "two at a time": {OPTION: "WHILE_LOOP_UNROLLING_DOUBLE_BUFFER"},
    "unrolled": {OPTION: "WHILE_LOOP_UNROLLING_FULL_UNROLL"},
}
COLUMNS = ("network", "precision", "loop over blocks", "ms", "compiling, s", "difference")
CALLS = 10
FAILED = "failed"  # how the first cell of a row without numbers begins


_NETWORKS = flags.DEFINE_list("networks", ["vdsr", "rdn", "danv1", "danv2"], "Of which networks.")
_SIDE = flags.DEFINE_integer("side", 256, "Side of the photo in pixels.")


def main(arguments: Sequence[str]) -> int:
    """Print the table row by row; return the exit status, which says whether all was measured."""
    check_no_more(arguments)
    check_names("network", _NETWORKS.value, SIZES)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    complete = True
    for labels, cells in _rows(_NETWORKS.value, _SIDE.value):
        print(f"| {' | '.join([*labels, *cells])} |", flush=True)
        complete &= not cells[0].startswith(FAILED)
    return command_line.DONE if complete else command_line.SOME_FAILED


def _rows(networks: Sequence[str], side: int) -> Iterator[tuple[list[str], list[str]]]:
    """Yield labels and cells of each row; of one that fails, the first cell says why."""
    for name, precision in itertools.product(networks, PRECISIONS):
        looped = None
        for kind, options in KINDS.items():
            try:
                image, milliseconds, seconds = _measured(name, precision, side, options)
            except Exception as error:  # of any sort: the row says which, and the others go on
                reason = f"{FAILED}: {type(error).__name__}: {' '.join(str(error).split())[:60]}"
                yield [name, precision, kind], [reason, "", ""]
                continue
            looped = image if kind == "loop" else looped
            difference = "" if looped is None else f"{np.linalg.norm(image - looped) / np.linalg.norm(looped):.1e}"
            yield [name, precision, kind], [f"{milliseconds:.2f}", f"{seconds:.1f}", difference]


def _measured(name: str, precision: str, side: int, options: dict[str, str | bool]) -> tuple[np.ndarray, float, float]:
    """Return what comes out, the milliseconds of a call, and the seconds of compiling with XLA's `options`."""
    lowered, arguments = _lowered(name, precision, side)
    began = time.perf_counter()
    compiled = lowered.compile(compiler_options=options)
    seconds = time.perf_counter() - began
    call = functools.partial(compiled, *jax.device_put(arguments))
    return np.asarray(call()[0]), _milliseconds(call), seconds


@functools.lru_cache(maxsize=1)  # for all kinds of a row's network and precision
def _lowered(name: str, precision: str, side: int) -> tuple[jax.stages.Lowered, tuple[Variables, jax.Array]]:
    """Return the program that is compiled, and what it takes."""
    photo = jnp.asarray(np.random.default_rng(0).random((1, side, side, 3)), jnp.float32)
    model = create(name, scale=SIZES[name].scale, key=jax.random.key(0))
    program = functools.partial(run_network, model.forward_spec(precision=precision))
    return jax.jit(program).lower(model.variables, photo), (model.variables, photo)


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
