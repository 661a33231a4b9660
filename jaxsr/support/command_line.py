"""How every command starts and ends: compile cache, one-line errors, exit status."""

import errno
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
from absl import app, flags, logging

from jaxsr.support.compile_cache import use_compile_cache
from jaxsr.support.errors import UserError
from jaxsr.support.interruption import SHELL_OFFSET, signals_as_exceptions
from jaxsr.support.memory import keep_freed_memory
from jaxsr.support.messages import complain, log_plainly, protect_streams

DONE, SOME_FAILED, WRONG_USAGE = 0, 1, 2
WITHOUT_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
OF_THE_USER = (  # what paths, permissions and disks do; other errors are ours, and keep their traceback
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTEMPTY, errno.EBUSY, errno.ETXTBSY, errno.EIO, errno.EMFILE),
)
WRONG_VALUES = {  # what absl and ml_collections say of the value of a flag, and what it means
    r"invalid literal for int\(\) with base \d+: .*": "is not a whole number",
    r"could not convert string to float: .*": "is not a number",
    r"\('Non-boolean argument to boolean flag', .*\)": "is neither True nor False",
    r"Failed to parse .* as a ConfigDict: .*": r"is not a dictionary; set its fields as \2.FIELD=VALUE",
}
MAX_CPU_DEVICES = 8  # each holds a tile of a photo; XLA's own threads use any further cores


def run(main: Callable[[Sequence[str]], int | None]) -> None:
    """Run `main(positional arguments)` as an absl app and exit with its status.

    0: all done. 1: some inputs failed, the others are written. 2: wrong usage. 130 and 143: ended by Ctrl-C and by
    SIGTERM, after temporary files were removed. One line on standard error says what went wrong.
    """
    protect_streams()

    def guarded(argv: Sequence[str]) -> int:
        keep_freed_memory()
        use_all_cores()
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)  # checkpointing logs each of its steps
        log_plainly()
        use_compile_cache()
        command = Path(sys.argv[0]).stem
        try:
            with signals_as_exceptions():
                return main(argv[1:]) or DONE
        except UserError as error:
            complain(f"{command}: {error}")
            return WRONG_USAGE
        except KeyboardInterrupt as error:
            number = error.args[0] if error.args else signal.SIGINT
            print(f"\n{command}: ended by {signal.Signals(number).name}", file=sys.stderr)
            sys.stdout.flush()
            os._exit(SHELL_OFFSET + number)  # without tearing down XLA, whose threads may still compute
        except OSError as error:
            if error.errno not in (*WITHOUT_ROOM, *OF_THE_USER):
                raise
            complain(f"{command}: {_reason(error)}")
            if error.errno not in WITHOUT_ROOM:
                return WRONG_USAGE
            sys.stdout.flush()
            os._exit(SOME_FAILED)  # without writers that would try again on their way out
        except MemoryError:
            complain(f"{command}: out of memory; close other programs, or give smaller photos or a smaller batch")
            return SOME_FAILED

    app.run(guarded, flags_parser=_parse_flags)


def _reason(error: OSError) -> str:
    """Return what is wrong, where, and what to do about it."""
    place = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, str | bytes) else ""
    if error.errno in WITHOUT_ROOM:
        return f"{error.strerror}{place}; make room, then run the same command again"
    return f"{error.strerror}{place}; check the path and its permissions"


def _parse_flags(argv: Sequence[str]) -> list[str]:
    """Return the positional arguments; report a wrong flag in one line, without absl's page of help."""
    try:
        return flags.FLAGS(list(argv))
    except SystemExit:  # --help, after which absl reports a failure
        sys.exit(DONE)
    except (flags.Error, UserError, AttributeError, KeyError, TypeError, OSError) as error:
        message = " ".join(line for line in str(error).splitlines() if line.strip())
        # An error in a config file comes at the end of a traceback
        message = message.rpartition(f"{UserError.__qualname__}: ")[2]
        complain(f"{Path(argv[0]).stem}: {_in_words(message)} (--help lists the flags)")
        sys.exit(WRONG_USAGE)


def _in_words(message: str) -> str:
    """Return absl's `message` about a flag, or that of ml_collections, in plain words."""
    if missing := re.findall(r"Flag (--\S+) must have a value other than None", message):
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    for said, meant in WRONG_VALUES.items():
        message = re.sub(rf"^flag ((--[^=]+)=.*?): {said}$", rf"\1 {meant}", message)
    return re.sub(
        r"^Found (\S*) in argv before a value for (\S+) was specified$", r"\1 comes before \2; write \2 first", message
    )


def use_all_cores() -> None:
    """Make every core, up to eight, a device of JAX's CPU backend, unless JAX_NUM_CPU_DEVICES sets their number.

    Batches and tiles are then shared among cores as among GPUs; XLA alone leaves half the cores idle on small images.
    XLA gets a thread for each core and one more for each device: a device that waits for the others holds a thread,
    and with one thread for each device, a convolution that needs helper threads would never get them.
    """
    if jax.config.jax_num_cpu_devices < 1:  # pyright: ignore[reportAttributeAccessIssue]
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        count = min(cores, MAX_CPU_DEVICES)
        jax.config.update("jax_num_cpu_devices", count)
        os.environ.setdefault("PJRT_NPROC", str(cores + count))
