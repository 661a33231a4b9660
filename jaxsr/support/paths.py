"""The paths that users give to commands: `~` is expanded, and what cannot work is said before any work."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jaxsr.support.errors import UserError, brief
from jaxsr.support.files import MAX_NAME

PROBE = 4096  # bytes that must find room before work begins
SEPARATOR = "://"  # after the protocol of an object store's address


def user_path(path: str | os.PathLike) -> Path:
    """Return `path` with `~` and `~name` expanded, unless it exists as it is or nobody has that name.

    Raises UserError for what is no path, for an empty one, for one with a NUL character, for an address such as
    s3://bucket/photos, and for `~` where no home folder is known.
    """
    if not isinstance(path, str | os.PathLike) or not (text := os.fspath(path)) or "\0" in text:
        raise UserError(f"{brief(path)} is not a path; name a file or a folder")
    if is_address(text):  # as a path it would be the folder "s3:"
        raise UserError(f"{text} is an address; only photos and results of restore are in stores: name a local path")
    if not text.startswith("~") or os.path.lexists(text):
        return Path(text)
    expanded = os.path.expanduser(text)  # noqa: PTH111 - Path.expanduser raises for a file called ~tilde.png
    if expanded == text and Path(text).parts[0] == "~":
        raise UserError(f"no home folder is known for {text!r}; write the path in full")
    return Path(expanded)


def is_address(text: object) -> bool:
    """Return whether a user's `text` names a place in an object store, by what stands before its "://"."""
    protocol, separator, _ = str(text).partition(SEPARATOR)
    return bool(separator) and protocol.isalnum()


def exists(path: str | os.PathLike) -> bool:
    """Return whether there is a file or folder `path`; a name that is too long, or that has a NUL, is none."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for such names


def is_file(path: str | os.PathLike) -> bool:
    """Return whether `path` is a file; a name that is too long, or that has a NUL, is none."""
    return os.path.isfile(path)  # noqa: PTH113 - as above


def is_folder(path: str | os.PathLike) -> bool:
    """Return whether `path` is a folder; a name that is too long, or that has a NUL, is none."""
    return os.path.isdir(path)  # noqa: PTH112 - as above


def is_hidden(path: Path) -> bool:
    """Return whether `path`, relative to the folder that is asked for, is hidden there or lies in a hidden folder."""
    return any(part[0] == "." for part in path.parts)


def real_path(path: str | os.PathLike) -> Path:
    """Return `path` with its links followed, as far as they lead anywhere: some are a circle."""
    return Path(os.path.realpath(path))  # Path.resolve raises for a circle


def tidy_path(path: Path) -> Path:
    """Return `path`, of a file, without `.` and `..`, so that a file has one name; it names the same file.

    Behind a link to a folder `..` is the folder above the linked one: there the path is absolute.
    """
    tidy = Path(os.path.normpath(path))
    if ".." not in path.parts:
        return tidy
    folder = real_path(path.parent)
    return tidy if real_path(tidy.parent) == folder else folder / path.name


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in the folders that `folders_below` finds."""
    for root, files in folders_below(folder):
        yield from (root / file for file in files)


def folders_below(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield `folder` and its visible folders, links followed, with the names of their files.

    Each folder counts once, by its own name rather than by a link's; links to a folder that they lie in lead nowhere.
    """
    seen: set[Path] = set()
    starts = [folder]
    while starts:
        for name, folders, files in os.walk(starts.pop(0)):
            root = Path(name)
            if (real := real_path(root)) in seen:
                folders.clear()
                continue
            seen.add(real)
            yield root, files
            folders[:] = sorted(each for each in folders if each[0] != ".")
            links = [root / each for each in folders if (root / each).is_symlink()]
            starts += [link for link in links if real_path(link) not in (real, *real.parents)]


def output_folder(path: str | os.PathLike, flag: str) -> Path:
    """Return the folder that a user gave to `flag` for results, which is not made yet.

    Raises UserError, which names the flag, unless it can be made or written to, and there is room.
    """
    folder = user_path(path)
    _check_room(_nearest_folder(folder, folder, flag), folder, flag)
    return folder


def output_file(path: str | os.PathLike, flag: str) -> Path:
    """Return the file that a user gave to `flag` for results; raises UserError as `output_folder` does."""
    file = user_path(path)
    if is_folder(file):
        raise UserError(f"{flag}={file} is a folder; name a file in it")
    if len(os.fsencode(file.name)) > MAX_NAME:
        raise UserError(f"{flag}={file}: a file's name has up to {MAX_NAME} bytes; choose a shorter one")
    _check_room(_nearest_folder(file.parent, file, flag), file, flag)
    return file


def make_folder(folder: Path) -> None:
    """Make the output `folder` and its parents; raises UserError where that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the output folder {folder} ({error.strerror}); choose another") from None


def _nearest_folder(folder: Path, path: Path, flag: str) -> Path:
    """Return `folder`, or the nearest one above it that exists; raises UserError where a file is in the way."""
    for candidate in (folder, *folder.absolute().parents):
        try:
            mode = candidate.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise UserError(f"{flag}={path} cannot be used ({error.strerror}); choose another") from None
        if not candidate.is_dir():
            kind = "a broken link" if mode & 0o170000 == 0o120000 and not candidate.exists() else "a file"
            raise UserError(f"{flag}={path}: {candidate} is {kind}, not a folder; choose another")
        return candidate
    return Path("/")


def _check_room(folder: Path, path: Path, flag: str) -> None:
    """Raise UserError unless a file can be written to `folder`."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(PROBE))
    except OSError as error:
        raise UserError(
            f"{flag}={path}: cannot write to {folder} ({error.strerror}); make room there, or choose another"
        ) from None
