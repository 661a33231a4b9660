"""Which values the fields of a config may hold, whatever the task and the network."""

import json
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ml_collections import ConfigDict

from jaxsr.support.errors import UserError, brief
from jaxsr.support.randomness import SEED_BOUND
from jaxsr.support.types import Json
from jaxsr.training.config import Config

LARGEST = 2**31 - 1  # what the devices' integers hold


class Bound(NamedTuple):
    """`holds(value)` says whether a number is in bounds, `said` what it must be."""

    holds: Callable[[float], bool]
    said: str


COUNT = Bound(lambda value: 1 <= value <= LARGEST, f"be at least 1 and at most {LARGEST}")
COUNT_OR_0 = Bound(lambda value: 0 <= value <= LARGEST, f"be at least 0 and at most {LARGEST}")
SEED = Bound(lambda value: 0 <= value < SEED_BOUND, f"be at least 0 and at most {SEED_BOUND - 1}")
NOT_NEGATIVE = Bound(lambda value: value >= 0 and math.isfinite(value), "be a number from 0 up")
POSITIVE = Bound(lambda value: value > 0 and math.isfinite(value), "be a number above 0")
SHARE = Bound(lambda value: 0 <= value <= 1, "lie in [0, 1]")
BELOW_1 = Bound(lambda value: 0 <= value < 1, "lie in [0, 1)")

OPTIMIZER = {
    **dict.fromkeys(("learning_rate", "weight_decay", "clip_norm", "clip_elements"), NOT_NEGATIVE),
    **dict.fromkeys(("momentum", "second_momentum"), BELOW_1),
}
SCHEDULE = {"every": COUNT, "factor": POSITIVE, "final": NOT_NEGATIVE, "hold": SHARE, "warmup": COUNT_OR_0}
BOUNDS = {
    **dict.fromkeys(("steps", "batch_size", "accumulate", "log_every", "validate_every", "checkpoint_every"), COUNT),
    **dict.fromkeys(("data.patch", "data.crops", "data.shakes", "supervision.fade", "adversarial.updates"), COUNT),
    "seed": SEED,
    "steps_per_dispatch": COUNT_OR_0,
    "checkpoint_minutes": NOT_NEGATIVE,
    "perceptual.feature_scale": POSITIVE,
    **dict.fromkeys(("pixel_weight", "variation_weight", "perceptual.weight", "texture.weight"), NOT_NEGATIVE),
    **dict.fromkeys(("adversarial.weight", "adversarial.penalty", "pretraining.learning_rate"), NOT_NEGATIVE),
    **dict.fromkeys(("data.stretch", "adversarial.min_contrast"), SHARE),
    "ema_decay": BELOW_1,
    **{f"{half}optimizer.{name}": bound for half in ("", "adversarial.") for name, bound in OPTIMIZER.items()},
    **{f"{half}schedule.{name}": bound for half in ("", "adversarial.") for name, bound in SCHEDULE.items()},
}
LISTS = ("data.rescale", "data.exposures", "data.jitter")  # of numbers, whose bounds the tasks know


def check_bounds(config: Config) -> None:
    """Raise UserError, naming field, value, bound and remedy, for a number that is out of bounds, or none."""
    for name in LISTS:
        if not all(isinstance(value, int | float) for value in field_of(config, name)):
            raise UserError(f"{name}={field_of(config, name)} must hold numbers; set --config.{name}")
    for name in ("optimizer.layer_rates", "adversarial.optimizer.layer_rates"):
        for layer, rate in field_of(config, name).items():
            if not (isinstance(rate, int | float) and NOT_NEGATIVE.holds(rate)):
                raise UserError(
                    f"{name} of {layer!r} is {brief(rate)}, it must {NOT_NEGATIVE.said}; set --config.{name}"
                )
    for name, bound in BOUNDS.items():
        if not bound.holds(value := field_of(config, name)):
            raise UserError(f"{name}={value} must {bound.said}; set --config.{name}")
    for half in ("", "adversarial."):  # no factor leads from the first rate to 0
        if field_of(config, f"{half}schedule.name") == "exponential" and not field_of(config, f"{half}schedule.final"):
            raise UserError(
                f'{half}schedule.final=0 is no rate that {half}schedule.name="exponential" can fall to; set '
                f"--config.{half}schedule.final above 0"
            )


def check_plain(config: Config) -> None:
    """Raise UserError, naming the field, for a value that config.json cannot hold: NumPy's numbers, arrays, paths."""
    for name, value in _fields(config):
        if isinstance(value, ConfigDict):  # a section, whose fields come next
            continue
        try:
            json.dumps(value)
        except TypeError:
            raise UserError(
                f"{name}={brief(value)} is of type {type(value).__name__}, which config.json cannot hold; set it to a "
                f"plain number or text, such as value.item() or str(path)"
            ) from None


def _fields(config: Config, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the dotted name and the value of each field, sections included."""
    for name, value in config.items():
        yield prefix + name, value
        if isinstance(value, ConfigDict):
            yield from _fields(value, f"{prefix}{name}.")


def field_of(config: Config, name: str) -> Json:
    """Return the field of a dotted `name`."""
    section, _, field = name.rpartition(".")
    return (config[section] if section else config)[field]


def field_names(config: Config) -> list[str]:
    """Return the dotted names of all fields, sections included."""
    return [name for name, _ in _fields(config)]
