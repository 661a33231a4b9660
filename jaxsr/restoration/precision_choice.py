"""Which precision a network restores in where the user leaves the choice: bf16 where it was measured to be as good.

The table is `precision_differences.json`, which `python -m benchmarks.precision` measures on real photos and writes.
"""

import functools
import json
import zlib
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxsr.devices.meshes import has_bf16
from jaxsr.models import Model
from jaxsr.models.precision import PRECISIONS
from jaxsr.support.errors import choose
from jaxsr.support.trees import by_path
from jaxsr.support.types import Json

AUTO = "auto"
CHOICES = (AUTO, *PRECISIONS)
TABLE = Path(__file__).with_name("precision_differences.json")
MAX_MEAN_DIFFERENCE, MAX_DIFFERENCE = 0.5, 2.0  # grey levels of 255 between results in bf16 and in float32


class Difference(NamedTuple):
    """By how many grey levels results of weights in bf16 differ from those in float32, on average and at most."""

    mean: float
    largest: float

    @property
    def is_small(self) -> bool:
        """Whether nobody will see it."""
        return self.mean <= MAX_MEAN_DIFFERENCE and self.largest <= MAX_DIFFERENCE


def chosen_precision(model: Model, asked: str) -> str:
    """Return the row of PRECISIONS that `model` restores in on this machine where `asked` is one of CHOICES.

    "auto" is "bf16" on devices that have it, of a platform where that is faster, for weights whose measured difference
    is small; all others, trained or changed since, get "float32". Raises UserError for a word that is no choice.
    """
    choose("precision", asked, dict.fromkeys(CHOICES))
    if asked != AUTO:
        return asked
    if jax.default_backend() not in _table()["faster_on"] or not has_bf16():
        return "float32"
    row = _table()["weights"].get(model.name)
    if row is None or row["digest"] != weights_digest(model):
        return "float32"
    return "bf16" if Difference(row["mean"], row["largest"]).is_small else "float32"


def weights_digest(model: Model) -> int:
    """Return a number that differs between weights, the same in every process."""
    digest = 0
    for name, x in sorted(by_path(model.variables).items()):
        digest = zlib.crc32(np.ascontiguousarray(x, np.float32).tobytes(), zlib.crc32(name.encode(), digest))
    return digest


@functools.cache
def _table() -> dict[str, Json]:
    return json.loads(TABLE.read_text())
