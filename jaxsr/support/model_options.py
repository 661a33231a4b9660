"""A model named on the command line with options of its own: `NAME[,option=value...]`."""

import ast
import re
from typing import TypeAlias

from jaxsr.support.errors import UserError

Option: TypeAlias = int | float | bool | str | tuple | list | None


def parse_model(text: str) -> tuple[str, dict[str, Option]]:
    """Return the name and the options of `text`, such as "zssr,steps=300,kernel=estimate".

    Values are Python literals (`300`, `True`, `(64, 32)`), anything else is a string. Raises UserError for a part
    without "=".
    """
    name, *parts = re.split(r",(?![^()]*\))", text)  # at commas outside brackets
    options: dict[str, Option] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"--model={text}: {part!r} is not option=value; write both, as in zssr,steps=300")
        options[key.strip()] = _literal(value.strip())
    return name, options


def _literal(text: str) -> Option:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
