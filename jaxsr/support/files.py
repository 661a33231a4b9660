"""Files that are written whole or not at all, and the folder of files kept between runs."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jaxsr.support.errors import UserError

RANDOM_CHARACTERS = 8  # that mkstemp puts into a name


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it is renamed to `path` when the block ends, and removed if that raises.

    The temporary name has the suffix of `path`, because image writers choose their format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_remains(path: str | os.PathLike) -> None:
    """Remove temporary files that a killed `written_whole(path)` left behind; the name may be a pattern."""
    path = Path(path)
    for temporary in path.parent.glob(f".{path.stem}-{'?' * RANDOM_CHARACTERS}{path.suffix}"):
        temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make the output `folder` and its parents; raises UserError where that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the output folder {folder} ({error.strerror}); choose another") from None


def cache_folder() -> Path:
    """Return the folder of files that jaxsr keeps between runs: `jaxsr` in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "jaxsr"


def _umask() -> int:
    """Return the process's umask, which mkstemp ignores: its files would be unreadable to the group."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
