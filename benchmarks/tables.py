"""Tables that print row by row, and how a section of them is run as a command."""

import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from absl import flags

from benchmarks.timing import machine
from jaxsr.models import MODELS, Model
from jaxsr.support import command_line


class Table(NamedTuple):
    """A table whose `rows` are measured while it prints; `notes` may grow meanwhile, and stand below it."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[str]]
    notes: list[str]


Section = Callable[..., Iterator[Table]]  # its keyword arguments are flags of the command


def show(table: Table) -> None:
    """Print `table` as Markdown, and how long it took."""
    start = time.monotonic()
    print(f"### {table.title}\n\n| {' | '.join(table.columns)} |\n|{'---|' * len(table.columns)}", flush=True)
    for row in table.rows:
        print(f"| {' | '.join(row)} |", flush=True)
    seconds = time.monotonic() - start
    took = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} minutes"
    print(" ".join(["", *table.notes, f"Measured in {took}."]).replace(" ", "\n", 1) + "\n", flush=True)


def run(section: Section) -> None:
    """Run `section` as a command that prints the machine and all tables; a flag stands for each keyword argument."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(section).parameters.items()}
    for name, default in defaults.items():
        define_flag(name, default)

    def main(_: Sequence[str]) -> None:
        tables = section(**{name: flag_value(name, default) for name, default in defaults.items()})
        for i, table in enumerate(tables):
            if i == 0:  # after the section has looked at its arguments
                print(f"{machine()}\n", flush=True)
            show(table)

    command_line.run(main)


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
    """Return the value of the flag; elements of a list have the type of the default's first."""
    value: Any = values[name].value
    return tuple(type(default[0])(x) for x in value) if isinstance(default, tuple) and default else value


def network(name: str, scale: int, **options: Any) -> Model:
    """Return a network with random weights; speed does not depend on them."""
    spec = MODELS[name]
    module = spec.module(scale, **options)
    variables = jax.jit(module.init)(jax.random.key(0), np.zeros((1, 32, 32, module.channels), np.float32))
    return Model(spec, module, scale, variables)
