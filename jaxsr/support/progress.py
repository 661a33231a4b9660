"""A bar on a terminal for the work on one or several files."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tqdm import tqdm


@contextlib.contextmanager
def progress_bar(files: Iterable[Path], unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with the names of `files` inside the block; yield what to tell it: `progress(done, total)` units."""
    with tqdm(desc=", ".join(path.name for path in files), unit=unit, leave=False, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress
