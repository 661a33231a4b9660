"""How a model is written: safetensors, with its card as JSON in the metadata. `jaxsr.weights` reads such files."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save as to_bytes

from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.trees import by_path
from jaxsr.support.types import Json, Variables

FORMAT = 1  # raised when a reader of today could not understand a file of tomorrow


def write_weights(
    path: str | Path, variables: Variables, card: Mapping[str, Json], *, dtype: type[np.floating] = np.float32
) -> None:
    """Write `variables` as `dtype` and `card` to `path`, whole or not at all; UserError as `check_name` raises it.

    float16 halves the file; it is read back as float32.
    """
    check_name(path)
    tensors = {name: np.ascontiguousarray(x, dtype) for name, x in by_path(variables).items()}
    with written_whole(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, metadata={"card": json.dumps({**card, "format": FORMAT})}))


def check_name(path: str | Path) -> None:
    """Raise UserError unless `path` may name a weight file."""
    if Path(path).suffix != ".safetensors":
        raise UserError(f"cannot write weights to {path}: the name must end in .safetensors")
