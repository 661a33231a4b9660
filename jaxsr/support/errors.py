"""A user's mistake, said in one line: what, the value, the bound, the remedy."""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake that the user can mend; commands print its one line without a traceback and leave with 2."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return the choice most like `name`, phrased to end an error, or all choices when none is like it."""
    choices = list(choices)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"choose one of: {', '.join(choices)}"


def choose(what: str, name: str, table: dict):
    """Return `table[name]`, or raise a UserError that names the nearest key.

    Example: `choose("optimizer", config.name, OPTIMIZERS)`.
    """
    if name not in table:
        raise UserError(f"unknown {what} {name!r}; {nearest(name, table)}")
    return table[name]
