"""How training and restoring speed up with the batch and with the devices that share it, beside PyTorch.

Two tables of `python -m benchmarks.growth`, --parts=batch,devices.
"""

import functools
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import jax
import torch  # pyright: ignore[reportMissingImports]

from benchmarks import inference, training
from benchmarks.cases import SIZES
from benchmarks.tables import Measurement, Row, Table
from benchmarks.timing import contest_of_workers
from benchmarks.workers import Prepare, Worker, in_new_process

CONTESTANTS = ("jaxsr", "eager")
NETWORKS = ("fsrcnn", "srresnet")
DEVICE_SCALES = {"fsrcnn": 2, "srresnet": 4}
PATCH = 24


def batch_rows(networks: Sequence[str], batches: Sequence[int], rounds: int) -> Iterator[Row]:
    """Yield a row for each network and batch."""
    for name in networks:
        for batch in batches:
            arguments = (name, SIZES[name].scale, PATCH, batch, "float32")
            label = f"{name} x{SIZES[name].scale}"
            yield Row((label, str(batch)), functools.partial(batch_cells, arguments, batch, rounds))


def batch_cells(arguments: tuple, batch: int, rounds: int) -> Measurement:
    """Return the cells of a training step's row."""
    seconds = times(training.prepare, arguments, rounds)
    speeds = [f"{batch / seconds[contestant]:.0f}" for contestant in CONTESTANTS]
    return Measurement([*speeds, f"{seconds['eager'] / seconds['jaxsr']:.2f}"])


def device_rows(networks: Sequence[str], count: int, rounds: int) -> Iterator[Row]:
    """Yield a row for a training step and for photos at once, by each network, on 1, 2, 4 ... devices."""
    works = {
        "16 patches": (training.prepare, lambda name: (name, DEVICE_SCALES[name], PATCH, 16, "float32"), 16),
        "4 photos of 96x96": (inference.prepare, lambda name: (name, DEVICE_SCALES[name], (4, 96, 96)), 4),
    }
    there = in_new_process(jax.local_device_count)
    for name in networks:
        for work, (prepare, arguments_of, images) in works.items():
            alone: dict[str, float] = {}
            for devices in (2**i for i in range(min(count, there).bit_length())):
                measure = functools.partial(device_cells, prepare, arguments_of(name), images, devices, alone, rounds)
                yield Row((f"{name} x{DEVICE_SCALES[name]}, {work}", str(devices)), measure)


def device_cells(
    prepare: Prepare, arguments: tuple, images: int, devices: int, alone: dict[str, float], rounds: int
) -> Measurement:
    """Return the cells of a row; `alone` are the speeds on one device, which the first row finds."""
    found = times(prepare, arguments, rounds, devices=devices)
    speeds = {contestant: images / seconds for contestant, seconds in found.items()}
    if devices > 1 and not alone:
        alone.update({c: images / seconds for c, seconds in times(prepare, arguments, rounds, devices=1).items()})
    alone.update(speeds if devices == 1 else {})
    shares = [f"{100 * speeds[c] / alone[c] / devices:.0f}" for c in CONTESTANTS]
    return Measurement([*(f"{speeds[c]:.1f}" for c in CONTESTANTS), *shares])


def times(prepare: Prepare, arguments: tuple, rounds: int, devices: int = 0) -> dict[str, float]:
    """Return the seconds of each contestant's call on so many devices, PyTorch with a thread for each of its cores."""
    with ExitStack() as stack:
        workers = {}
        for name in CONTESTANTS:
            workers[name] = stack.enter_context(Worker(devices=devices, as_command=name == "jaxsr"))
            workers[name].run(use_cores)
            workers[name].prepare(prepare, name, *arguments)
        return contest_of_workers(workers, rounds=rounds)


def use_cores() -> None:
    """Have PyTorch use the cores that this process may use; else it takes one thread for each of the machine's."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))


def tables(
    *, parts: Sequence[str], batches: Sequence[int], devices: int, networks: Sequence[str], rounds: int
) -> Iterator[Table]:
    """Yield the tables "batch" and "devices", those that `parts` has, of NETWORKS in `networks`."""
    chosen = [name for name in NETWORKS if name in networks]
    if "batch" in parts:
        columns = ("network", "batch", "jaxsr patches/s", "eager patches/s", "jaxsr / eager")
        title = f"Growth with the batch: a training step on patches of {PATCH}x{PATCH}"
        yield Table(title, columns, batch_rows(chosen, batches, rounds))
    if "devices" in parts:
        columns = ("work", "devices", "jaxsr images/s", "eager images/s", "jaxsr, % of ideal", "eager, % of ideal")
        yield Table("Growth with the devices", columns, device_rows(chosen, devices, rounds))
