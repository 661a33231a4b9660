"""Every file of a folder loaded and imported in one process: `python -m tests.helpers.hostile_weights.trial FOLDER`.

Prints a JSON line for each: {"file", "messages" (of the errors for the user), "read" (how often it was), "crash",
"seconds", "peak" (bytes of memory)}. The process may take 2 GiB more of addresses than it begins with, and no more.
"""

import json
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

from absl import flags

import jaxsr
from jaxsr import import_weights
from jaxsr.support.errors import UserError

LIMIT = 2 * 2**30
RUNS_CODE = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "pickle.find_class")


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def _addresses() -> int:
    return 1024 * int(Path("/proc/self/status").read_text().split("VmSize:")[1].split()[0])


def _forbid(event: str, _: tuple) -> None:
    if event in RUNS_CODE:
        raise AssertionError(f"a file brought about {event}")


def try_file(path: Path, output: Path) -> dict:
    """Return what loading and importing one file comes to."""
    flags.FLAGS.unparse_flags()
    flags.FLAGS(["import_weights", "--model=espcn", f"--output={output}"])
    tries = [lambda: import_weights.main([str(path)])]
    if path.suffix == ".safetensors":
        tries.append(lambda: jaxsr.load(path))
    record = {"file": path.name, "messages": [], "read": 0, "crash": ""}
    start = time.monotonic()
    for attempt in tries:
        try:
            attempt()
            record["read"] += 1
        except UserError as error:
            record["messages"].append(str(error))
        except BaseException:
            record["crash"] = traceback.format_exc()
    return {**record, "seconds": time.monotonic() - start, "peak": _peak()}


def main(folder: Path) -> None:
    """Try all files of the folder."""
    jaxsr.load("espcn-x3")
    resource.setrlimit(resource.RLIMIT_AS, (_addresses() + LIMIT, resource.RLIM_INFINITY))
    sys.addaudithook(_forbid)
    with tempfile.TemporaryDirectory() as outputs:
        for path in sorted(folder.iterdir()):
            print(f"{path.name} ...", file=sys.stderr, flush=True)  # the last one, should the interpreter end
            print(json.dumps(try_file(path, Path(outputs) / "weights.safetensors")), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
