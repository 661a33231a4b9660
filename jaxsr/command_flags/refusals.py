"""Flags that what was asked for would pass over, refused: nobody should wonder why a flag changed nothing."""

from collections.abc import Iterable

from absl import flags

from jaxsr.support.errors import UserError


def refuse(flags_given: Iterable[flags.FlagHolder], task: str, remedy: str) -> None:
    """Raise UserError for the first of `flags_given` that was set: the `task` would pass over it."""
    for flag in flags_given:
        if flag.present and flag.value is not False:
            raise UserError(f"{task} takes no --{flag.name}; leave it out, or {remedy}")
