"""Checks of what users set for KernelGAN and ZSSR."""

import dataclasses
import numbers
from typing import TYPE_CHECKING

from jaxsr.support.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

KINDS: dict[type, tuple[type, str]] = {
    bool: (bool, "True or False"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "text"),
}


def check_types(options: "DataclassInstance") -> None:
    """Raise UserError for a field of `options` whose value is not of the same kind as the field's default."""
    for field in dataclasses.fields(options):
        value, expected = getattr(options, field.name), type(field.default)
        accepted, words = KINDS[expected]
        if not isinstance(value, accepted) or (isinstance(value, bool) and expected is not bool):
            raise UserError(f"{field.name}={value!r} is not {words}; the default is {field.default!r}")


def check_at_least(options: "DataclassInstance", **bounds: int) -> None:
    """Raise UserError for a field of `options` below its bound. `bounds` are by the fields' names."""
    for name, least in bounds.items():
        value = getattr(options, name)
        if not value >= least:  # also refuses NaN
            raise UserError(f"{name}={value} must be at least {least}; set {name}={least} or more")
