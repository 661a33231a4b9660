"""What the packaged configs cost to train, estimated from their programs and from rates that real trainings had.

`training_costs.json` holds a row for each variant, made by `python -m benchmarks.training_costs`.
"""

import json
from pathlib import Path
from typing import NamedTuple

from jaxsr.training.config import Config

COSTS_FILE = Path(__file__).with_suffix(".json")
# TFLOP/s of nine trainings by these configs' own recipes, in bfloat16 (DAN in float32), on one H100 that five of them
# shared at a time: the 95th percentile of what their logs say, the mean of a network's scales.
RATES = {"danv1": 14, "danv2": 12, "lapsrn": 27, "mslapsrn": 12, "rdn": 130, "srresnet": 10, "vdsr": 88}
OTHER_RATE = 16  # the middle of the nine
SECONDS_A_STEP = 0.0046  # at the least: no training made more than 220 steps a second


class Cost(NamedTuple):
    """Operations of a step of each stage in GFLOP, and what the last stage's holds in GiB."""

    gigaflops: list[float]
    gibibytes: float


def recorded_costs() -> dict[str, Cost]:
    """Return the cost of each packaged config that trains on many photos, by names such as "espcn:x3"."""
    return {name: Cost(**fields) for name, fields in json.loads(COSTS_FILE.read_text("utf-8")).items()}


def hours(config: Config, cost: Cost) -> float:
    """Return the hours that training by `config` takes on one H100, by the rate of its network or of the others."""
    before = config.pretraining.steps
    steps = (before, config.steps - before) if before else (config.steps,)
    rate = 1e3 * RATES.get(config.model.name, OTHER_RATE)  # GFLOP/s
    seconds = [
        count * max(SECONDS_A_STEP, gigaflops / rate) for count, gigaflops in zip(steps, cost.gigaflops, strict=True)
    ]
    return sum(seconds) / 3600
