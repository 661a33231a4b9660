"""Files that appear whole or not at all, and the folder for those kept between runs."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jaxsr.support.errors import UserError

RANDOM = 8  # characters that mkstemp puts into a name


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it when the block ends and removed when it raises.

    The temporary name keeps the suffix, because image writers choose their format by it.
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
    """Remove temporary files that `written_whole(path)` left when it was killed; the name may be a pattern."""
    path = Path(path)
    for temporary in path.parent.glob(f".{path.stem}-{'?' * RANDOM}{path.suffix}"):
        temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make the output `folder`, or raise UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the output folder {folder} ({error.strerror}); choose another") from None


def cache_folder() -> Path:
    """Return the folder for what jaxsr keeps between runs: `jaxsr` in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "jaxsr"


def _umask() -> int:
    """Return the process's umask; mkstemp ignores it and would leave files unreadable to the group."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
