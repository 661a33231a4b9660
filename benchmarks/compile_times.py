"""How long one waits for compiling: `python -m benchmarks.compile_times [--networks=vdsr,rdn] [--json_file=F]`.

For each network, in new processes: the seconds until the first photo of 256x256 is restored, and until a training of
one step has ended, scores and weights included; both with an empty cache of compiled programs ("cold") and with the one
that this left ("warm", for the training with another number of steps). Importing and reading weights are left out.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from absl import flags

from benchmarks.cases import SIZES
from jaxsr.support import command_line
from jaxsr.support.errors import choose

WHAT = ("photo", "training")
COLUMNS = ("network", "photo, cold", "photo, warm", "photo, again", "training, cold", "training, other steps, warm")
UNASKED = "-"  # the cell of what is not to be measured
LEFT_OUT = ("srntt",)  # its photos need VGG19's weights


_NETWORKS = flags.DEFINE_list("networks", [name for name in SIZES if name not in LEFT_OUT], "Of which networks.")
_LIMIT = flags.DEFINE_integer("limit", 300, "Seconds after which a process is given up.")
_TRAINING = flags.DEFINE_bool("training", True, "Also train.")
_JSON = flags.DEFINE_string("json_file", "", "File for the numbers.")


def main(_: Sequence[str]) -> int:
    """Print the table row by row; return the exit status, which says whether all was measured."""
    for name in _NETWORKS.value:
        choose("network", name, SIZES)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    complete = True
    for name, found in _rows(_NETWORKS.value, _LIMIT.value, _TRAINING.value, _JSON.value):
        cells = [f"{x:.1f}" if isinstance(x, float) else str(x) for x in found.values()]
        print(f"| {' | '.join([name, *cells])} |", flush=True)
        complete &= all(isinstance(x, float) or x == UNASKED for x in found.values())
    return command_line.DONE if complete else command_line.SOME_FAILED


def _rows(
    names: Sequence[str], limit: int, training: bool, json_file: str
) -> Iterator[tuple[str, dict[str, float | str]]]:
    """Yield each network with its `seconds_of`, which the file has then too."""
    found = {}
    for name in names:
        found[name] = seconds_of(name, limit, training)
        if json_file:
            Path(json_file).write_text(json.dumps(found, indent=1) + "\n")
        yield name, found[name]


def seconds_of(name: str, limit: int, training: bool) -> dict[str, float | str]:
    """Return the seconds in the columns, or why there are none."""
    with tempfile.TemporaryDirectory() as cache:
        cold, warm = (_child(name, "photo", 1, cache, limit) for _ in range(2))
        found = {
            "photo_cold": cold.get("first", cold["failed"]),
            "photo_warm": warm.get("first", warm["failed"]),
            "photo_again": warm.get("second", warm["failed"]),
        }
        for column, steps in {"training_cold": 1, "training_warm": 2}.items():
            child = _child(name, "training", steps, cache, limit) if training else {"failed": UNASKED}
            found[column] = child.get("first", child["failed"])
    return found


def _child(name: str, what: str, steps: int, cache: str, limit: int) -> dict[str, float | str]:
    """Return what `benchmarks.compile_child` prints in a new process, with "failed" in words."""
    command = [sys.executable, "-m", "benchmarks.compile_child", name, what, str(steps)]
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": cache}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"over {limit}"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["fails"])[-1][:60]}
    return {"failed": "", **json.loads(done.stdout.splitlines()[-1])}


if __name__ == "__main__":
    command_line.run(main)
