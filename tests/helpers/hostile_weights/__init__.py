"""Hostile weight files of every format and kind, as {file name: bytes}: what a stranger may send, or a disk make of it.

`all_cases` gives them all: those that must be refused, and those that may as well be read, such as flipped numbers.
"""

from tests.helpers.hostile_weights import archives, cards, damage, headers, hierarchies, matlab, pickled


def refused() -> dict[str, bytes]:
    """Return the files that must be refused, each in one line."""
    modules = (archives, cards, headers, hierarchies, matlab, pickled)
    cases = [case for module in modules for case in module.cases()]
    assert len({name for name, _ in cases}) == len(cases)
    return dict(cases)


def damaged() -> dict[str, bytes]:
    """Return honest files that were truncated or changed at random: refused, or read where that went unnoticed."""
    return dict(damage.cases())
