"""Errors for the user: one line that names the mistake, the value, the bound and the remedy."""

import difflib
import numbers
from collections.abc import Collection, Hashable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

MAX_VALUE = 300  # characters of a value in a message
FAILURES = (OSError, ValueError, MemoryError)  # what a photo may raise, UserError among them; the others are done


class UserError(ValueError):
    """A mistake that the user can fix; commands print its one line without a traceback and exit with status 2."""


def failure_line(path: Path | str, error: BaseException) -> str:
    """Return the message of `error`, preceded by `path`, or what else failed, unless it names that already."""
    if isinstance(error, MemoryError):
        return f"{path}: does not fit into memory; make it smaller, or use a smaller tile"
    return str(error) if str(path) in str(error) else f"{path}: {error}"


def short_reason(error: BaseException, line: int = 0) -> str:
    """Return a line of what a library's `error` says, the first by default, cut to 160 characters.

    That is its kind where it says nothing.
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[line][:160]


def brief(value: object) -> str:
    """Return `value` as an error message shows it: as it is written, or its type where that takes lines (an array)."""
    text = repr(value)
    return text if len(text) <= MAX_VALUE and "\n" not in text else f"<{type(value).__name__}>"


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return the end of an error message: the choice closest to `name`, or all choices when none is close.

    Capitals do not count: papers write FSRCNN.
    """
    choices = list(choices)
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean {by_lower[close[0]]!r}?" if close else f"choose one of: {', '.join(choices)}"


def check_scale_of(name: str, scale: object, scales: Collection[int]) -> None:
    """Raise UserError unless `scale` is one of the `scales` of `name`; it is a whole number, 2 and not 2.0."""
    if not isinstance(scale, numbers.Integral) or scale not in scales:
        raise UserError(f"{name} has no scale {scale!r}; choose one of: {', '.join(map(str, scales))}")


def numbers_of(name: str, values: Iterable[float], example: Iterable[float]) -> tuple[float, ...]:
    """Return the numbers of the option `name`; raises UserError, with an `example`, unless `values` is a sequence."""
    try:
        return tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise UserError(f"{name}={values!r} is not a sequence of numbers; write for example {name}={example}") from None


def choose(what: str, name: str, table: Mapping[str, T]) -> T:
    """Return `table[name]`, or raise a UserError that names the nearest key.

    Example: `choose("optimizer", config.name, OPTIMIZERS)`.
    """
    if not isinstance(name, Hashable) or name not in table:
        raise UserError(f"unknown {what} {brief(name)}; {nearest(name, table)}")
    return table[name]
