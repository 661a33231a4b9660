"""A row of the main tables: jaxsr, PyTorch in eager mode, and torch.compile, compared and then timed in turns."""

import contextlib
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.peak import matrix_peak, operations
from benchmarks.tables import Table
from benchmarks.timing import Prepare, compile_seconds, contest, in_new_process, on_accelerator, peak_memory

LONGEST_COMPILATION = 60  # seconds after which torch.compile is given up
CONTESTANTS = ("jaxsr", "eager", "compiled")
COLUMNS = (
    *("network", "jaxsr ms", "eager / jaxsr", "compiled / jaxsr", "jaxsr MP/s"),
    *("jaxsr, % of peak", "PyTorch, % of peak", "jaxsr MiB", "eager MiB", "jaxsr compiles, s", "torch.compile, s"),
)


class Trial(NamedTuple):
    """`prepare(contestant, *arguments)` gives a call, and `observe(call)` the array in which all have to agree.

    They may differ by `tolerance` times the largest number of a channel; networks in fewer bits, on a GPU, by 100 times
    as much.
    """

    prepare: Prepare
    observe: Callable[[Callable[[], Any]], np.ndarray]
    tolerance: float


class Case(NamedTuple):
    """What a row measures: its `label`, the arguments of the trial, and the megapixels that come out of a call."""

    label: str
    arguments: tuple
    megapixels: float


class Measured(NamedTuple):
    """Seconds of a call and of compilation by contestant, operations of a call, and why torch.compile failed."""

    seconds: dict[str, float]
    compiling: dict[str, float]
    operations: int
    failure: str


def table(title: str, trial: Trial, cases: Iterable[Case], rounds: int, *notes: str) -> Table:
    """Return the table of `cases`, whose title tells the peak of which the shares are."""
    written = list(notes)
    title = f"{title}; the peak is {matrix_peak() / 1e9:.0f} GFLOP/s"
    return Table(title, COLUMNS, rows(trial, cases, rounds, written), written)


def rows(trial: Trial, cases: Iterable[Case], rounds: int, notes: list[str]) -> Iterator[list[str]]:
    """Yield the cells of each case; `notes` get why torch.compile failed."""
    for case in cases:
        found = in_new_process(measured, trial, case.arguments, rounds)
        memory = [f"{peak_memory(trial.prepare, name, *case.arguments):.0f}" for name in CONTESTANTS[:2]]
        if found.failure:
            notes.append(f"torch.compile fails for {case.label}: {found.failure}.")
        yield cells(case, found, memory, matrix_peak())


def cells(case: Case, found: Measured, memory: list[str], peak: float) -> list[str]:
    """Return the cells of a row. Ratios above 1 mean that jaxsr is faster."""
    seconds, compiled = found.seconds, "compiled" in found.seconds
    ours = seconds["jaxsr"]
    theirs = min(time for name, time in seconds.items() if name != "jaxsr")
    return [
        *(case.label, f"{1000 * ours:.1f}", f"{seconds['eager'] / ours:.2f}"),
        f"{seconds['compiled'] / ours:.2f}" if compiled else "fails",
        f"{case.megapixels / ours:.3g}",
        *(f"{100 * found.operations / time / peak:.0f}" for time in (ours, theirs)),
        *memory,
        f"{found.compiling['jaxsr']:.1f}",
        f"{found.compiling['compiled']:.1f}" if compiled else "fails",
    ]


def measured(trial: Trial, arguments: tuple, rounds: int) -> Measured:
    """Return what all contestants give in this process; those of PyTorch compute the same operations."""
    calls = {name: trial.prepare(name, *arguments) for name in CONTESTANTS}
    torch.compile(lambda x: 2 * x + 1)(torch.zeros(8))  # its start, once for all that a process compiles
    compiling = {name: compile_seconds(calls[name]) for name in CONTESTANTS[:2]}
    expected, failure = trial.observe(calls["eager"]), ""
    check(trial, trial.observe(calls["jaxsr"]), expected)
    try:
        with limited(LONGEST_COMPILATION):
            compiling["compiled"] = compile_seconds(calls["compiled"])
        check(trial, trial.observe(calls["compiled"]), expected)
    except Exception as error:  # of any sort: the row has two contestants then
        failure = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        del calls["compiled"]
        stop_compiling()
    return Measured(contest(calls, rounds=rounds), compiling, operations(calls["eager"]), failure)


def stop_compiling() -> None:
    """Wait for the compilers of what was given up, which would take part of the cores else."""
    from torch._inductor import async_compile  # pyright: ignore[reportMissingImports]  # takes seconds

    async_compile.shutdown_compile_workers()


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in the main thread where the work inside takes longer."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(trial: Trial, found: np.ndarray, expected: np.ndarray) -> None:
    """Check that two contestants computed the same."""
    tolerance = trial.tolerance * (100 if on_accelerator() else 1)
    largest = np.abs(expected).reshape(-1, expected.shape[-1]).max(axis=0)
    assert found.shape == expected.shape, f"{found.shape} is not {expected.shape}"
    errors = np.abs(found - expected).reshape(-1, expected.shape[-1]).max(axis=0)
    assert (errors <= tolerance * largest).all(), f"off by {errors} of {largest}"
