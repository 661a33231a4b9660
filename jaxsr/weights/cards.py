"""The card of a weight file that somebody else may have written: right types, and options that bound the network."""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from jaxsr.models import MODELS, ModelSpec, initial_shapes
from jaxsr.models.serialization import FORMAT
from jaxsr.models.spec import Network
from jaxsr.support.errors import UserError
from jaxsr.support.model_options import Option
from jaxsr.support.types import Json

MAX_WIDTH, MAX_REPEATS, MAX_DENSE, MAX_ENTRIES = 4096, 1024, 32, 64
REPEATS = ("depth", "blocks", "groups", "layers", "recursions", "mapping_layers")  # their product is bounded, too
LIMITS = {
    **dict.fromkeys((*REPEATS, "rounds", "estimator_blocks", "kernel_size", "code_length"), MAX_REPEATS),
    "layers": MAX_DENSE,  # each takes the outputs of all before
}
FLOATS = (np.dtype("f2"), np.dtype("f4"), np.dtype("f8"), np.dtype(ml_dtypes.bfloat16))


def parse_card(path: Path, text: str) -> dict[str, Json]:
    """Return the card of the file `path`; raises UserError where it is no card of a model that this version knows."""
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} has a card that is not JSON ({error}); get the file again") from None
    if not isinstance(card, dict):
        raise UserError(f"{path} has a card of type {type(card).__name__}, not an object; get the file again")
    for field, kind in {"format": int, "model": str, "scale": int, "options": dict}.items():
        value = card.get(field, 0 if field == "format" else None)
        if type(value) is not kind:
            raise UserError(
                f"{path} has a card whose {field!r} is {value!r}, and not of type {kind.__name__}; get the file again"
            )
    if card.get("format", 0) > FORMAT:
        raise UserError(f"{path} has format {card['format']}, this version reads up to {FORMAT}; upgrade jaxsr")
    if card["model"] not in MODELS:
        raise UserError(f"{path} holds the unknown model {card['model']!r}; upgrade jaxsr")
    return card


def network_of(spec: ModelSpec, scale: int, options: Mapping[str, Option]) -> tuple[Network, Any]:
    """Return the network of untrusted `options` and the tree of its variables' shapes.

    Raises UserError for options of wrong types, out of bounds, or of no network.
    """
    check_options(spec, options)
    module = spec.module(scale, **options)
    try:
        return module, initial_shapes(module)
    except UserError:
        raise
    except Exception as error:  # whatever a network's constructor and JAX make of the options
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{spec.name} cannot be made with {dict(options)} ({reason}); correct the options") from error


def check_options(spec: ModelSpec, options: Mapping[str, Option]) -> None:
    """Raise UserError unless `options` have the types of the network's own, and sizes that it can be built with."""
    fields = dataclasses.fields(spec.build)  # type: ignore[arg-type]
    defaults: dict[str, Any] = {field.name: field.default for field in fields if field.name in spec.options}
    for name, value in options.items():
        what = f"{spec.name}'s option {name}={value!r}"
        if name in defaults and not _is_like(value, defaults[name]):
            raise UserError(f"{what} is of another type than {defaults[name]!r}; correct it")
        if name in defaults and not _is_bounded(value, LIMITS.get(name, MAX_WIDTH)):
            raise UserError(f"{what} is out of bounds: {LIMITS.get(name, MAX_WIDTH)} is the most; correct it")
        if name in REPEATS and isinstance(value, int) and value < 0:
            raise UserError(f"{what} is below 0; correct it")
        if name == "channels" and value not in (1, 3):
            raise UserError(f"{what} is neither 1 (luma) nor 3 (RGB); correct it")
    repeats = math.prod(max(value, 1) for name, value in options.items() if name in REPEATS and isinstance(value, int))
    if repeats > MAX_REPEATS:
        raise UserError(f"{spec.name} would repeat its layers {repeats} times; {MAX_REPEATS} is the most")


def _is_like(value: Option, default: Option) -> bool:
    """Return whether `value` has the type of `default`: a whole number serves as a float, a name as a tuple."""
    if isinstance(default, tuple):
        entries = value if isinstance(value, list | tuple) else ()
        return isinstance(value, str) or (bool(entries) and all(_is_like(entry, default[0]) for entry in entries))
    return type(value) is type(default) or (type(default) is float and type(value) is int)


def _is_bounded(value: Option, limit: int) -> bool:
    """Return whether a number, or each of a few, is at most `limit`, and a text is short."""
    if isinstance(value, str | list | tuple) and len(value) > MAX_ENTRIES:
        return False
    if isinstance(value, list | tuple):
        return all(_is_bounded(entry, limit) for entry in value)
    return not isinstance(value, int | float) or abs(value) <= limit


def as_float32(what: str, name: str, x: np.ndarray, *, whole_numbers: bool = False) -> np.ndarray:
    """Return the array `name` as float32, from float16, bfloat16, float64 and, if allowed, `whole_numbers`.

    Raises UserError for other types, and for what is not finite: a diverged training, or a damaged file.
    """
    if x.dtype.newbyteorder("=") not in FLOATS and not (whole_numbers and x.dtype.kind in "iub"):
        raise UserError(f"{what}: {name!r} is of type {x.dtype}; weights are float32, float16 or bfloat16")
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.ascontiguousarray(x, np.float32)
    if not np.isfinite(x).all():
        raise UserError(f"{what}: {name!r} holds values that are not finite; take an earlier checkpoint, or copy again")
    return x
