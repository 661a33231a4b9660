"""Seconds of each network by engine on this machine's CPU: `python -m benchmarks.engines [--networks=vdsr,rdn]`.

The published widths, random weights, a photo of 256x256 enlarged (networks that take the enlargement: of 256x256
enlarged). Compiling is left out; each number is the median of some runs that take turns. What is measured replaces the
network's row of jaxsr/engines/engine_times.json, which the engine "auto" goes by.
"""

import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np
from absl import app, flags

import jaxsr
from jaxsr.engines.runtimes import compile_graph, cores, is_installed
from jaxsr.models import MODELS
from jaxsr.restoration.tiles.engine_check import by_xla
from jaxsr.restoration.tiles.engine_tiles import tile_graph
from jaxsr.restoration.tiles.program import ProgramSpec

TABLE = Path(__file__).parents[1] / "jaxsr" / "engines" / "engine_times.json"
ENGINES = (("openvino", "float32"), ("openvino", "bf16"), ("onnxruntime", "float32"))

_NETWORKS = flags.DEFINE_list("networks", None, "Which; by default all with one input.")
_SIDE = flags.DEFINE_integer("side", 256, "Of the photo, in pixels.")
_RUNS = flags.DEFINE_integer("runs", 5, "Of each engine.")
_SMALL = flags.DEFINE_bool("dry_run", False, "Print, and leave the table as it is.")


def main(_: Sequence[str]) -> None:
    """Measure, print and write the table."""
    jax.config.update("jax_num_cpu_devices", 1)
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    table["machine"] = f"{platform.machine()}, {cores()} cores, {_SIDE.value}x{_SIDE.value} pixels"
    for name in _NETWORKS.value or [name for name, spec in MODELS.items() if not (spec.needs or spec.per_photo)]:
        table["seconds"][name] = seconds = measure(name, _SIDE.value, _RUNS.value)
        print(name, {engine: round(value, 4) for engine, value in seconds.items()}, flush=True)
        if not _SMALL.value:
            TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def measure(name: str, side: int, runs: int) -> dict[str, float]:
    """Return the median seconds of a network on one photo, by engine; "openvino_bf16" is OpenVINO in bf16."""
    spec = MODELS[name]
    scale = 2 if 2 in spec.scales else spec.scales[0]
    model = jaxsr.create(name, scale=scale, key=jax.random.key(0)).folded()
    program = ProgramSpec(model.forward_spec(), quantize=False, ensemble=False)
    photo = np.random.default_rng(0).random((1, side, side, 3), np.float32)
    calls: dict[str, Callable[[np.ndarray], object]] = {
        "xla": lambda photo: jax.block_until_ready(by_xla(program, model.variables, photo))
    }
    file = tile_graph(model, program, photo.dtype, 3)
    for engine, precision in ENGINES:
        if is_installed(engine):
            calls[engine + ("" if precision == "float32" else f"_{precision}")] = compile_graph(engine, file, precision)
    return {engine: statistics.median(times) for engine, times in _times(calls, photo, runs).items()}


def _times(calls: dict[str, Callable[[np.ndarray], object]], photo: np.ndarray, runs: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {engine: [] for engine in calls}
    for call in calls.values():
        call(photo)
    for _ in range(runs):
        for engine, call in calls.items():
            began = time.perf_counter()
            call(photo)
            times[engine].append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    app.run(main)
