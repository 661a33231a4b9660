"""Which engine runs a network: the one that was asked for, or with "auto" the one that was measured fastest."""

import functools
import importlib.resources
import json
import os

import jax

from jaxsr.engines.runtimes import RUNTIMES, check_installed, is_installed
from jaxsr.support.errors import UserError, choose
from jaxsr.support.types import Json

AUTO, XLA = "auto", "xla"
ENGINES = (AUTO, XLA, *RUNTIMES)
GAIN = 1.1  # times XLA's speed that another engine must have had; less is lost in compiling
VARIABLE = "JAXSR_ENGINE"  # of the environment: what "auto" means


def check_engine(engine: object) -> None:
    """Raise UserError for an engine that does not exist or is not installed."""
    choose("engine", str(engine), dict.fromkeys(ENGINES))
    check_installed(str(engine))


def engine_for(network: str, engine: str = AUTO, *, precision: str = "float32") -> str:
    """Return the engine, one of ENGINES without "auto", that runs `network` on this machine in that `precision`.

    "auto" is what the environment variable JAXSR_ENGINE names, and else on CPUs the installed engine that was measured
    at least GAIN times as fast as XLA. Raises UserError for one that is unknown or not installed.
    """
    if engine == AUTO:
        engine = _engine_of_environment()
    check_engine(engine)
    if engine != AUTO:
        return engine
    if jax.default_backend() != "cpu":
        return XLA
    times = measured_times().get(network, {})
    kind = "" if precision == "float32" else f"_{precision}"
    candidates = {name: times[name + kind] for name in RUNTIMES if name + kind in times and is_installed(name)}
    fastest = min(candidates, key=lambda name: candidates[name], default=XLA)
    return fastest if fastest != XLA and times[XLA] >= GAIN * candidates[fastest] else XLA


def _engine_of_environment() -> str:
    """Return what "auto" means here; raises UserError, which names the variable, for an unknown or missing engine."""
    engine = os.environ.get(VARIABLE) or AUTO
    if engine not in ENGINES:
        raise UserError(f"{VARIABLE}={engine} is not an engine; choose one of: {', '.join(ENGINES)}")
    if engine in RUNTIMES and not is_installed(engine):
        raise UserError(f"{VARIABLE}={engine} is not installed: pip install 'jaxsr[{engine}]', or unset {VARIABLE}")
    return engine


@functools.cache
def measured_times() -> Json:
    """Return the seconds of each network by engine, as `python -m benchmarks.engines` wrote them."""
    text = importlib.resources.files("jaxsr.engines").joinpath("engine_times.json").read_text(encoding="utf-8")
    return json.loads(text)["seconds"]
