"""The arguments of a section as flags of its command, and what is said of wrong ones before anything is measured."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from absl import flags

from jaxsr.support.errors import UserError, choose


def check_names(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UserError, with the nearest one, for the first of `names` that is none of the `known`."""
    table = dict.fromkeys(known)
    for name in names:
        choose(what, name, table)


def whole_numbers(what: str, values: Iterable[Any]) -> tuple[int, ...]:
    """Return `values` as numbers; raises UserError for one that is no whole number of at least 1."""
    numbers = []
    for value in values:
        if not str(value).isdecimal() or int(value) < 1:
            raise UserError(f"--{what} has {value!r}; give whole numbers of at least 1, such as --{what}=1,4")
        numbers.append(int(value))
    return tuple(numbers)


def defaults_of(section: Callable[..., Any]) -> dict[str, Any]:
    """Return the keyword arguments of `section` with their defaults."""
    return {name: parameter.default for name, parameter in inspect.signature(section).parameters.items()}


def define_flag(name: str, default: Any, values: flags.FlagValues = flags.FLAGS) -> None:
    """Define the flag of an argument by its default: a whole number, a switch, a word or a list."""
    if isinstance(default, bool):
        flags.DEFINE_bool(name, default, "a switch", values)
    elif isinstance(default, int):
        flags.DEFINE_integer(name, default, "a number", min(default, 1), flag_values=values)
    elif isinstance(default, str):
        flags.DEFINE_string(name, default, "a word", values)
    else:
        flags.DEFINE_list(name, list(map(str, default)), "a list", values)


def flag_value(name: str, default: Any, values: flags.FlagValues = flags.FLAGS) -> Any:
    """Return the value of the flag; a list is one of numbers where the default's is. Raises UserError for others."""
    value: Any = values[name].value
    if not isinstance(default, tuple):
        return value
    return whole_numbers(name, value) if default and isinstance(default[0], int) else tuple(value)


def check_no_more(arguments: Sequence[str]) -> None:
    """Raise UserError for positional arguments, which these commands do not have."""
    if arguments:
        raise UserError(f"unexpected argument {arguments[0]!r}; all is chosen by flags (--help lists them)")
