"""libvips, loaded when first needed, silent: its warnings are collected, and what fails becomes one line."""

import contextlib
import functools
import logging
import threading
from collections.abc import Iterator, Sequence
from types import ModuleType

from jaxsr.support.errors import UserError

_LOCK = threading.RLock()  # libvips says what is wrong without saying with which file
_NOISE = ("error in tile", "read gave", "unable to write to memory", "unable to call", "out of order")


@functools.cache
def vips() -> ModuleType:
    """Return the module pyvips, set up: nothing is cached, and XLA keeps the cores.

    Raises UserError where the library behind it is missing.
    """
    logger = logging.getLogger("pyvips")
    logger.propagate = False  # otherwise absl prints every warning
    logger.setLevel(logging.WARNING)
    try:
        import pyvips
    except OSError as error:  # the shared library
        raise UserError(f"libvips cannot be loaded ({error}); install it: pip install 'pyvips[binary]'") from None
    pyvips.cache_set_max(0)
    pyvips.vips_lib.vips_concurrency_set(1)
    return pyvips


class _Collector(logging.Handler):
    """Keeps the lines of warnings, each once."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [line for line in clean_lines(record.getMessage()) if line not in self.lines]


@contextlib.contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Yield a list to which every warning of libvips inside the block is added, also those when its images are freed.

    Only one thread at a time is inside such a block.
    """
    lines: list[str] = []
    handler, logger = _Collector(lines), logging.getLogger("pyvips")
    with _LOCK:
        vips().vips_lib.vips_error_clear()  # it keeps lines of files that were read all the same
        logger.addHandler(handler)
        try:
            yield lines
        finally:
            logger.removeHandler(handler)


def clean_lines(text: str) -> list[str]:
    """Return the lines of a message of libvips that say something, each once, without the names of its parts."""
    lines = dict.fromkeys(line.strip().removeprefix("VIPS: ") for line in text.splitlines())
    return [_without_part(line) for line in lines if line and not line.startswith(_NOISE)]


def _without_part(line: str) -> str:
    part, colon, rest = line.partition(": ")
    return rest if colon and part.lower().startswith(("vips", "tiff2vips", "source", "pngload", "gifload")) else line


def reason_of(error: Exception, warnings: Sequence[str] = ()) -> str:
    """Return why libvips failed, in one line; its `warnings` before that often say more."""
    lines = [line for line in clean_lines(str(error)) if line != "libpng read error" or not warnings]
    return "; ".join(dict.fromkeys([*lines[:2], *warnings[:1]])) or "the decoder gives no reason"


def unreadable(error: Exception, warnings: Sequence[str]) -> UserError:
    """Return what is raised for a file that libvips cannot decode."""
    return UserError(f"unreadable ({reason_of(error, warnings)}); copy the file again")
