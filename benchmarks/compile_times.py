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
from collections.abc import Sequence

from absl import flags

from benchmarks.arguments import check_names, check_no_more
from benchmarks.cases import SIZES
from benchmarks.measurements import read_rows
from jaxsr.support import command_line
from jaxsr.support.files import written_whole
from jaxsr.support.paths import output_file

COLUMNS = ("network", "photo, cold", "photo, warm", "photo, again", "training, cold", "training, other steps, warm")
UNASKED = "-"  # the cell of what is not to be measured
LEFT_OUT = ("srntt",)  # its photos need VGG19's weights


_NETWORKS = flags.DEFINE_list("networks", [name for name in SIZES if name not in LEFT_OUT], "Of which networks.")
_LIMIT = flags.DEFINE_integer("limit", 300, "Seconds after which a process is given up.")
_TRAINING = flags.DEFINE_bool("training", True, "Also train.")
_JSON = flags.DEFINE_string("json_file", None, "File for the numbers; those that it has of what is not measured stay.")


def main(arguments: Sequence[str]) -> int:
    """Print the table row by row; return the exit status, which says whether all was measured."""
    check_no_more(arguments)
    check_names("network", _NETWORKS.value, SIZES)
    file = output_file(_JSON.value, "--json_file") if _JSON.value else None
    found = read_rows(file, SIZES.__contains__, "no compile times; give another --json_file") if file else {}
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    complete = True
    for name in _NETWORKS.value:
        row, earlier = seconds_of(name, _LIMIT.value, _TRAINING.value), found.get(name, {})
        found[name] = {column: earlier.get(column, x) if x == UNASKED else x for column, x in row.items()}
        if file:
            with written_whole(file) as temporary:
                temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        cells = [f"{x:.1f}" if isinstance(x, float) else str(x) for x in row.values()]
        print(f"| {' | '.join([name, *cells])} |", flush=True)
        complete &= all(isinstance(x, float) or x == UNASKED for x in row.values())
    return command_line.DONE if complete else command_line.SOME_FAILED


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
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": cache, "TMPDIR": cache}  # a training leaves its run there
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"over {limit}"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["fails"])[-1][:60]}
    return {"failed": "", **json.loads(done.stdout.splitlines()[-1])}


if __name__ == "__main__":
    command_line.run(main)
