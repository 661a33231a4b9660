"""Object stores, reached by fsspec: which paths name them, what lies there, and moving files there and back.

A command's line names `s3://bucket/photos/a.png`. Inside jaxsr that is the path `s3:/bucket/photos/a.png`, which has
the parts, names and suffixes of any other, but cannot be opened; `shown` is what the user wrote.
"""

import contextlib
import dataclasses
import functools
import glob
import itertools
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jaxsr.support.errors import UserError, choose
from jaxsr.support.files import written_whole

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

SEPARATOR = "://"
LOCAL, MEMORY = "file", "memory"  # folders of this machine; this process alone, for tests


@dataclasses.dataclass(frozen=True)
class Store:
    """A kind of store: the `package` that fsspec reaches it with, and where its `credentials` come from."""

    package: str = "fsspec"
    credentials: str = "who may use the folder"


STORES = {
    "s3": Store("s3fs", "the network and the credentials: aws configure, or AWS_ACCESS_KEY_ID and its secret"),
    "gs": Store("gcsfs", "the network and the credentials: gcloud auth application-default login"),
    LOCAL: Store(),
    MEMORY: Store(),
}


def is_address(text: object) -> bool:
    """Return whether a user's `text` names a place in a store, by what stands before its "://"."""
    protocol, separator, _ = str(text).partition(SEPARATOR)
    return bool(separator) and protocol.isalnum()


def in_store(path: Path) -> bool:
    """Return whether `path` is one of `store_path`."""
    return bool(path.parts) and path.parts[0].endswith(":") and path.parts[0][:-1] in STORES


def store_path(address: str) -> Path:
    """Return the path that stands for `address`, such as s3://bucket/photos.

    Raises UserError for an unknown store, for one whose package is missing, and for an address without a name, or with
    an empty, "." or ".." folder, which a path cannot hold.
    """
    protocol, _, _ = address.partition(SEPARATOR)
    choose("store", protocol, STORES)
    name = str(_system(protocol)._strip_protocol(address)).strip("/")
    if not name or any(part in ("", ".", "..") for part in name.split("/")):
        raise UserError(f"{address} names no folder or file; write for example {protocol}://bucket/photos")
    return Path(f"{protocol}:/{name}")


def shown(path: Path) -> str:
    """Return `path` as the user writes it: its address where it is in a store."""
    if not in_store(path):
        return str(path)
    protocol = _protocol(path)
    return protocol + SEPARATOR + ("/" if protocol == LOCAL else "") + "/".join(path.parts[1:])


def files_named(item: Path, *, recursive: bool = False, without: Path | None = None) -> tuple[Path, list[Path]]:
    """Return the visible files that `item` of a store names, and the folder below which they lie, as listing.py does.

    `item` is a file, a folder, or a pattern; those in the folder `without` are left out. A name with a suffix that is
    not there is returned as it is. Raises UserError for another, and where the store does not answer.
    """
    system, name = _located(item)
    with _store_errors(item, "listed"):
        if system.isfile(name):
            return item.parent, [item]
    pattern = glob.has_magic(name)
    root = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), item.parts)) if pattern else item
    found = _entries(root)
    if not (found or pattern):
        if item.suffix:
            return item.parent, [item]
        raise UserError(f"no file or folder {shown(item)}; check the path")
    if pattern or recursive:
        with _store_errors(item, "listed"):
            found = system.glob(name, detail=True) if pattern else system.find(name, detail=True)
    assert isinstance(found, dict)  # with details
    return root, _visible(
        [_path_of(item, str(name)) for name, facts in found.items() if _is_file(facts)], root, without
    )


def existing(paths: Iterable[Path]) -> set[Path]:
    """Return those of `paths` in stores that are there; each folder is listed once.

    Raises UserError where the store does not answer.
    """
    wanted, there = {path for path in paths if in_store(path)}, set()
    for folder in sorted({path.parent for path in wanted}):
        there |= {_path_of(folder, name) for name in _entries(folder)}
    return wanted & there


def fetch(path: Path, file: Path) -> None:
    """Copy the object `path` to the local `file`; raises UserError with its address where that fails."""
    system, name = _located(path)
    with _store_errors(path, "fetched"):
        system.get_file(name, str(file))


def put(file: Path, path: Path) -> None:
    """Copy the local `file` to the object `path`, which appears whole or not at all; raises UserError as `fetch`."""
    system, name = _located(path)
    with _store_errors(path, "written"):
        if _protocol(path) == LOCAL:  # no object store: what is being copied there would be seen
            with written_whole(name) as temporary:
                shutil.copyfile(file, temporary)
        else:
            system.put_file(str(file), name)


def check_folder(folder: Path) -> None:
    """Raise UserError unless objects can be put into `folder`, by putting one, which is removed."""
    probe = folder / f".jaxsr-{uuid.uuid4().hex}"
    with tempfile.NamedTemporaryFile() as file:
        try:
            put(Path(file.name), probe)
        except UserError as error:
            raise UserError(str(error).replace(shown(probe), shown(folder))) from None
    system, name = _located(probe)
    with contextlib.suppress(Exception):  # who may write may not be allowed to remove
        system.rm_file(name)


def _entries(folder: Path) -> dict[str, dict[str, object]]:
    """Return what is said of each file and folder in `folder`, by name; nothing where there is none.

    Unlike what lists folders recursively, it raises UserError where access is denied.
    """
    system, name = _located(folder)
    with _store_errors(folder, "listed"), contextlib.suppress(FileNotFoundError):
        return {str(facts["name"]): facts for facts in system.ls(name, detail=True)}
    return {}


def _is_file(facts: dict[str, object]) -> bool:
    """Return whether `facts` are of a file; some stores have empty ones in the place of a folder."""
    return facts["type"] == "file" and not str(facts["name"]).endswith("/")


def _visible(files: Iterable[Path], root: Path, without: Path | None) -> list[Path]:
    """Return those of `files` whose names below `root` begin with no dot, and that are not in `without`."""
    return [
        file
        for file in files
        if file != root
        and without not in file.parents
        and not any(part[0] == "." for part in file.relative_to(root).parts)
    ]


def _located(path: Path) -> tuple["AbstractFileSystem", str]:
    """Return the file system of `path`, and the name that it has there."""
    system = _system(_protocol(path))
    return system, str(system._strip_protocol(shown(path)))


def _protocol(path: Path) -> str:
    return path.parts[0][:-1]


def _path_of(item: Path, name: str) -> Path:
    """Return the path of what the store of `item` calls `name`."""
    return Path(f"{item.parts[0]}/{name.lstrip('/')}")


@functools.cache  # fsspec itself would open one for each thread
def _system(protocol: str) -> "AbstractFileSystem":
    """Return the file system of stores of that kind; raises UserError where a package is missing, or refuses."""
    store = STORES[protocol]
    try:
        import fsspec
    except ImportError:
        raise UserError("object stores are reached by fsspec; install it: pip install 'jaxsr[stores]'") from None
    try:
        return fsspec.filesystem(protocol)
    except ImportError:
        raise UserError(
            f"{protocol}{SEPARATOR} is reached by {store.package}; install it: pip install {store.package}"
        ) from None
    except Exception as error:  # of credentials; each package has its own
        raise UserError(f"{protocol}{SEPARATOR} is not reached ({_reason(error)}); check {store.credentials}") from None


@contextlib.contextmanager
def _store_errors(path: Path, what: str) -> Iterator[None]:
    """Raise whatever goes wrong with the object `path` as a UserError of one line; each package has its own errors."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{shown(path)}: no such file or bucket; check the path") from None
    except Exception as error:
        credentials = STORES[_protocol(path)].credentials
        raise UserError(f"{shown(path)} cannot be {what} ({_reason(error)}); check {credentials}") from None


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
