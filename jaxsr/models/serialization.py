"""How a model is written: safetensors, with its card as JSON in the metadata. `jaxsr.weights` reads such files."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save as to_bytes

from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.trees import by_path
from jaxsr.support.types import AnyArray, Json, Variables

FORMAT = 1  # raised when a reader of today could not understand a file of tomorrow


def write_weights(
    path: str | Path, variables: Variables, card: Mapping[str, Json], *, dtype: type[np.floating] = np.float32
) -> None:
    """Write `variables` as `dtype` and `card` to `path`, whole or not at all.

    float16 halves the file; it is read back as float32. Raises UserError as `check_name` does, for values that are not
    finite as `dtype`, and for a card that is not JSON.
    """
    check_name(path)
    text = _json_of({**card, "format": FORMAT}, path)
    tensors = {name: _finite(name, x, dtype, path) for name, x in by_path(variables).items()}
    with written_whole(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, metadata={"card": text}))


def _json_of(card: Mapping[str, Json], path: str | Path) -> str:
    """Return `card` as JSON, which has no NaN; raises UserError that names the field that is not."""
    for name, value in card.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise UserError(
                f"cannot write weights to {path}: the card's {name!r} is not JSON ({error}); give texts, finite "
                "numbers, lists and dictionaries of Python"
            ) from None
    return json.dumps(card)


def _finite(name: str, x: AnyArray, dtype: type[np.floating], path: str | Path) -> np.ndarray:
    """Return the array `name` as `dtype`; raises UserError where it would hold what `load` refuses."""
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(x, dtype)
    if not np.isfinite(x).all():
        raise UserError(
            f"cannot write weights to {path}: {name!r} holds values that are not finite as {x.dtype}; "
            "take an earlier checkpoint"
        )
    return x


def check_name(path: str | Path) -> None:
    """Raise UserError unless `path` may name a weight file."""
    if Path(path).suffix != ".safetensors":
        raise UserError(f"cannot write weights to {path}: the name must end in .safetensors")
