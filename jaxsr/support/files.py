"""Files that are written whole or not at all, and the folder of files kept between runs."""

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

RANDOM_CHARACTERS = 8  # that mkstemp puts into a name
MAX_NAME = 255  # bytes of a file's name, in most file systems
_FULL = ("No space left on device", "Disk quota exceeded", "RESOURCE_EXHAUSTED", "File too large")
_TEMPORARY = re.compile(rf"\.(.+)-[a-z0-9_]{{{RANDOM_CHARACTERS}}}(\.[^.]*)?", re.DOTALL)


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it is renamed to `path` when the block ends, and removed if that raises.

    The temporary name has the suffix of `path`, because image writers choose their format by it, and is cut where the
    name is so long that nothing can be added to it. The file is locked meanwhile: `remove_remains` leaves it alone.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{_shortened(path)}-", suffix=path.suffix)
    temporary = Path(name)
    try:
        try_to_lock(handle)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)  # with it the lock goes, as when the process is killed


def remove_remains(path: str | os.PathLike) -> None:
    """Remove temporary files that a killed `written_whole(path)` left behind; the name may be a pattern."""
    path = Path(path)
    for temporary in path.parent.glob(f".{_shortened(path)}-{'?' * RANDOM_CHARACTERS}{path.suffix}"):
        _remove_remain(temporary)


def remove_remains_of(paths: Iterable[Path]) -> None:
    """Remove the temporary files that killed `written_whole` of any of `paths` left behind, each folder read once."""
    names: dict[Path, set[str]] = {}
    for path in paths:
        names.setdefault(path.parent, set()).add(_shortened(path) + path.suffix)
    for folder, known in names.items():
        for file in folder.iterdir() if folder.is_dir() else ():
            match = _TEMPORARY.fullmatch(file.name)
            if match and match[1] + (match[2] or "") in known:
                _remove_remain(file)


def _remove_remain(temporary: Path) -> None:
    """Remove the file `temporary` unless it is locked: another run is writing it."""
    with contextlib.suppress(OSError), temporary.open("rb") as file:
        if try_to_lock(file) is not False:
            temporary.unlink(missing_ok=True)


def try_to_lock(file: int | IO) -> bool | None:
    """Lock an open `file` or folder, or a descriptor of one, until it is closed, and return whether that went well.

    False means that another process holds it, None that its file system has no locks. A lock goes with its process,
    however that ends.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def file_digest(path: str | os.PathLike) -> str:
    """Return the SHA-256 of the file `path`; raises OSError where it cannot be read."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def says_full(error: Exception) -> bool:
    """Return whether `error`, of a library that writes files itself and raises no OSError, is about a full disk."""
    return any(sign in str(error) for sign in _FULL)


def _shortened(path: Path) -> str:
    """Return the stem of `path`, so short that its temporary name is no longer than names may be."""
    room = MAX_NAME - len(os.fsencode(path.suffix)) - RANDOM_CHARACTERS - len(".-")
    stem = os.fsencode(path.stem)
    if len(stem) <= room:
        return path.stem
    digest = hashlib.sha256(stem).hexdigest()[:RANDOM_CHARACTERS]
    return stem[: room - RANDOM_CHARACTERS].decode("utf-8", "ignore") + digest


def cache_folder() -> Path:
    """Return the folder of files that jaxsr keeps between runs: `jaxsr` in XDG_CACHE_HOME, or in ~/.cache.

    As XDG says, a variable that is empty or no absolute path counts as unset. Where there is no home folder either, it
    is a path below os.devnull, where nothing is found and nothing can be kept.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", "")).expanduser()
    if named.is_absolute():
        return named / "jaxsr"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises where there is none
    return home / ".cache" / "jaxsr" if home.is_absolute() else Path(os.devnull) / "jaxsr"


def _umask() -> int:
    """Return the process's umask, which mkstemp ignores: its files would be unreadable to the group."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
