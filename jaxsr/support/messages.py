"""What commands print about files: one line each that a terminal shows as it is, and that never raises."""

import logging
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

MAX_LINE = 1000  # characters; a path may have thousands, the choices in a message some hundreds


def one_line(text: object, limit: int = MAX_LINE) -> str:
    """Return `text` with control characters and what is no text escaped, its middle left out beyond `limit`.

    A file's name may hold any bytes, among them those that move the cursor.
    """
    line = _cut(str(text), 4 * limit)  # before the escapes: a name in a file can have a megabyte
    if not line.isprintable():
        line = "".join(each if each.isprintable() else _escaped(each) for each in line)
    return _cut(line, limit)


def _cut(line: str, limit: int) -> str:
    half = (limit - len(" ... ")) // 2
    return line if len(line) <= limit else f"{line[:half]} ... {line[-half:]}"


def first_few(items: Sequence[str], *, most: int = 10, separator: str = ", ") -> str:
    """Return `items` in a row, the first `most` of them and the number of the others."""
    more = [f"and {len(items) - most} more"] if len(items) > most else []
    return separator.join([*items[:most], *more])


def say(text: object) -> None:
    """Print `text` as a line on standard output, above progress bars."""
    _write(one_line(text), sys.stdout)


def complain(text: object) -> None:
    """Print `text` as a line on standard error, above progress bars."""
    _write(one_line(text), sys.stderr)


def protect_streams() -> None:
    """Let nothing that is printed raise, whatever the terminal's encoding, and though its reader has gone."""
    sys.stdout, sys.stderr = _Patient(sys.stdout), _Patient(sys.stderr)  # type: ignore[assignment]


def log_plainly() -> None:
    """Print what is logged as lines such as "warning: photo.png: ...", each only once."""
    for handler in list(logging.root.handlers):
        logging.root.removeHandler(handler)
    logging.root.addHandler(_PlainLog())


@contextmanager
def logged_here() -> Iterator[list[str]]:
    """Yield a list that gets the warnings that this thread logs in the block."""
    lines, thread, handler = [], threading.get_ident(), logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage()) if record.thread == thread else None
    logging.root.addHandler(handler)
    try:
        yield lines
    finally:
        logging.root.removeHandler(handler)


class _PlainLog(logging.Handler):
    """Prints records without the place in the sources; tracebacks follow if there are any."""

    def __init__(self) -> None:
        super().__init__()
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print `record`."""
        line = f"{record.levelname.lower()}: {one_line(record.getMessage())}"
        if record.exc_info:
            line = f"{line}\n{logging.Formatter().formatException(record.exc_info)}"
        if line not in self._printed:
            self._printed.add(line)
            _write(line, sys.stderr)


class _Patient:
    """A text stream that escapes what its encoding lacks, and goes on without a reader or room."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]

    def write(self, text: str) -> int:
        """Write `text`, if anybody reads it."""
        try:
            self._stream.write(text)
        except OSError:
            self._leave()
        return len(text)

    def flush(self) -> None:
        """Flush the stream, if anybody reads it."""
        try:
            self._stream.flush()
        except OSError:
            self._leave()

    def _leave(self) -> None:
        """Send what is still written to nowhere; Python would flush again at its end."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def _write(text: str, stream: TextIO) -> None:
    from tqdm import tqdm  # slower to import than most of a command's help

    tqdm.write(text, file=stream)
    stream.flush()  # a reader, or whoever looks at a log, sees it at once
