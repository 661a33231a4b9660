"""Progress of work: a bar on the terminal, and what a part of the work reports."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from jaxsr.support.messages import one_line
from jaxsr.support.types import Progress

NAMES = 40  # characters of names before a bar


@contextlib.contextmanager
def progress_bar(files: Iterable[Path], unit: str) -> Iterator[Progress]:
    """Show a bar with the names of `files` inside the block; yield its `progress(done, total)`, counted in `unit`s.

    Nothing is shown where standard error is not a terminal.
    """
    with tqdm(
        desc=one_line(", ".join(path.name for path in files), NAMES), unit=unit, leave=False, disable=None
    ) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def part_of(progress: Progress, before: int, total: int) -> Progress:
    """Return the progress of a part of the work, `total` of which `before` was done when it began."""
    return lambda done, _: progress(before + done, total)
