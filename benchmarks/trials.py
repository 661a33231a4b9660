"""A row of the main tables: jaxsr, PyTorch in eager mode, torch.compile and, on a GPU, its max-autotune mode.

Each is in a process of its own; results are compared, then all are timed in turns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.peak import matrix_peak, operations
from benchmarks.peers.accelerator import DEVICE
from benchmarks.tables import Measurement, Row, Table
from benchmarks.timing import FirstCalls, contest_of_workers, first_calls
from benchmarks.workers import MeasurementFailed, Prepare, Worker, limited, remaining

T = TypeVar("T")

OWN, EAGER, COMPILED, AUTOTUNED = "jaxsr", "eager", "compiled", "autotuned"
LONGEST_COMPILATION = {COMPILED: 60, AUTOTUNED: 180}  # seconds after which it is given up
PEERS = (EAGER, COMPILED) if DEVICE == "cpu" else (EAGER, COMPILED, AUTOTUNED)
# The relative norm of the error up to which results are the same, by precision; products on GPUs are TF32
COARSE = {"float32": 0.0 if DEVICE == "cpu" else 1e-2, "bf16": 5e-2}


class Trial(NamedTuple):
    """`prepare(contestant, *arguments)` gives a call, and `observe(call)` the array in which all have to agree.

    The relative norm of their difference is at most `tolerance`, or what COARSE has for their precision.
    """

    prepare: Prepare
    observe: Callable[[Callable[[], Any]], np.ndarray]
    tolerance: float


class Case(NamedTuple):
    """What a row measures: its `labels`, the last of which is the precision; the trial's arguments; megapixels a call.

    The megapixels are those that come out.
    """

    labels: tuple[str, ...]
    arguments: tuple
    megapixels: float


class Contestant(NamedTuple):
    """A process that holds a call, its first calls and what it gave."""

    worker: Worker
    first: FirstCalls
    observed: np.ndarray


Attempt: TypeAlias = Contestant | str  # or why it failed


class Started(NamedTuple):
    """Contestants that are ready to be timed: their processes, first calls, relative errors, and why one failed."""

    workers: Mapping[str, Worker]
    first: Mapping[str, FirstCalls]
    errors: Mapping[str, float]
    failures: Mapping[str, str]


class Measured(NamedTuple):
    """What a row found, by contestant: seconds a call, first calls, relative errors, and why one failed."""

    seconds: Mapping[str, float]
    first: Mapping[str, FirstCalls]
    errors: Mapping[str, float]
    failures: Mapping[str, str]
    operations: int


def columns() -> tuple[str, ...]:
    """Return the columns behind the labels."""
    return (
        *("jaxsr ms", *(f"{peer} / jaxsr" for peer in PEERS), "best PyTorch / jaxsr", "error", "jaxsr MP/s"),
        *("jaxsr, % of peak", "PyTorch, % of peak", "peak, GFLOP/s", "jaxsr MiB", "eager MiB", "jaxsr compiles, s"),
        *(f"{peer} compiles, s" for peer in PEERS[1:]),
    )


def table(title: str, labels: Sequence[str], trial: Trial, cases: Iterable[Case], rounds: int, *notes: str) -> Table:
    """Return the table of `cases`."""
    return Table(title, (*labels, *columns()), rows(trial, cases, rounds), notes)


def rows(trial: Trial, cases: Iterable[Case], rounds: int) -> Iterator[Row]:
    """Yield the row of each case."""
    for case in cases:
        yield Row(case.labels, partial(measure, trial, case, rounds), partial(make_ready, trial, case, rounds))


def measure(trial: Trial, case: Case, rounds: int) -> Measurement:
    """Return the row of `case`."""
    with ExitStack() as stack:
        return cells(case, timed(started(trial, case, stack), rounds), trial, matrix_peak())


def make_ready(trial: Trial, case: Case, rounds: int, stack: ExitStack) -> Callable[[], Measurement]:
    """Return what times the contestants of `case`, which get ready at once, in processes that `stack` ends."""
    with ThreadPoolExecutor(1 + len(PEERS)) as threads:
        ready = started(trial, case, stack, lambda call, names: threads.map(copies_of_context(call), names))
    return lambda: cells(case, timed(ready, rounds), trial, matrix_peak())


def started(trial: Trial, case: Case, stack: ExitStack, for_each: Callable[..., Iterable[Attempt]] = map) -> Started:
    """Return the contestants, compiled and compared, one after another or as `for_each` calls.

    Raises MeasurementFailed where jaxsr or eager PyTorch fails; the row does without the others.
    """
    names = (OWN, *PEERS)
    attempts = dict(zip(names, for_each(partial(attempt, trial, case, stack), names), strict=True))
    ready = {name: found for name, found in attempts.items() if not isinstance(found, str)}
    expected = ready[EAGER].observed
    return Started(
        workers={name: found.worker for name, found in ready.items()},
        first={name: found.first for name, found in ready.items()},
        errors={name: relative_error(found.observed, expected) for name, found in ready.items()},
        failures={name: why for name, why in attempts.items() if isinstance(why, str)},
    )


def attempt(trial: Trial, case: Case, stack: ExitStack, name: str) -> Attempt:
    """Return a contestant that is ready, or why one that a row can do without is not."""
    worker = stack.enter_context(Worker(as_command=name == OWN))
    try:
        worker.prepare(trial.prepare, name, *case.arguments)
        if name in LONGEST_COMPILATION:
            worker.run(warm_up)
        # Half of what is left of the row's time, so that the others are timed in any case
        with limited(min(LONGEST_COMPILATION.get(name, float("inf")), remaining() / (1 + (name in PEERS[1:])))):
            return Contestant(worker, worker.ask(first_calls), worker.ask(trial.observe))
    except MeasurementFailed as error:
        if name not in LONGEST_COMPILATION:
            raise type(error)(f"{name}: {error}") from None
        worker.__exit__()  # its compilers would take part of the cores
        return str(error)


def copies_of_context(call: Callable[[str], T]) -> Callable[[str], T]:
    """Return `call` for other threads, which otherwise would not know the limit of this one's time."""
    context = copy_context()
    return lambda name: context.copy().run(call, name)


def timed(ready: Started, rounds: int) -> Measured:
    """Return what the contestants give; those of PyTorch compute the same operations."""
    count = ready.workers[EAGER].ask(operations)
    seconds = contest_of_workers(ready.workers, rounds=rounds)
    return Measured(seconds, ready.first, ready.errors, ready.failures, count)


def warm_up() -> None:
    """Start torch.compile's compilers, once for all that a process compiles."""
    torch.compile(lambda x: 2 * x + 1)(torch.zeros(8))


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the norm of the difference over that of `expected`; infinite for another shape or numbers not finite."""
    if found.shape != expected.shape:
        return float("inf")
    error = float(np.linalg.norm(np.float64(found) - expected) / max(np.linalg.norm(np.float64(expected)), 1e-30))
    return error if np.isfinite(error) else float("inf")


def agrees(trial: Trial, error: float, precision: str) -> bool:
    """Return whether an `error` of that size is rounding."""
    return error <= max(trial.tolerance, COARSE[precision])


def cells(case: Case, found: Measured, trial: Trial, peak: float) -> Measurement:
    """Return the cells of a row and what is amiss with it. Ratios above 1 mean that jaxsr is faster."""
    ours, first = found.seconds[OWN], found.first
    best = min(time for name, time in found.seconds.items() if name != OWN)
    ratios = [f"{found.seconds[name] / ours:.2f}" if name in found.seconds else "fails" for name in PEERS]
    error, notes = f"{found.errors[OWN]:.0e}", []
    for name, size in found.errors.items():
        if not agrees(trial, size, case.labels[-1]):
            notes.append(f"{name} differs from eager by {size:.1e}")
            error = f"**{error}**" if name == OWN else error
    notes += [f"{name} fails ({why})" for name, why in found.failures.items()]
    shown = [
        *(f"{1000 * ours:.1f}", *ratios, f"{best / ours:.2f}", error, f"{case.megapixels / ours:.3g}"),
        *(f"{100 * found.operations / time / peak:.0f}" for time in (ours, best)),
        *(f"{peak / 1e9:.0f}", f"{first[OWN].mebibytes:.0f}", f"{first[EAGER].mebibytes:.0f}"),
        *(f"{first[name].compiling:.1f}" if name in found.seconds else "fails" for name in (OWN, *PEERS[1:])),
    ]
    return Measurement(shown, f"{', '.join(case.labels)}: {'; '.join(notes)}." if notes else "")
