"""What lies in object stores, and moving files there and back."""

import contextlib
import glob
import itertools
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jaxsr.data.stores.store_paths import LOCAL, STORES, file_system, in_store, protocol_of, reason_of, shown
from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.paths import is_hidden

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


def files_named(item: Path, *, recursive: bool = False, without: Path | None = None) -> tuple[Path, list[Path]]:
    """Return the visible files that `item` of a store names, and the folder below which they lie, as listing.py does.

    `item` is a file, a folder, or a pattern; those in the folder `without` are left out. A name with a suffix that is
    not there is returned as it is. Raises UserError for another, and where the store does not answer.
    """
    system, name = _located(item)
    with _store_errors(item, "listed"):
        if system.isfile(name):
            return item.parent, [item]
        pattern = glob.has_magic(name) and not system.isdir(name)
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
        if protocol_of(path) == LOCAL:  # no object store: what is being copied there would be seen
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
        file for file in files if file != root and without not in file.parents and not is_hidden(file.relative_to(root))
    ]


def _located(path: Path) -> tuple["AbstractFileSystem", str]:
    """Return the file system of `path`, and the name that it has there."""
    system = file_system(protocol_of(path))
    return system, str(system._strip_protocol(shown(path)))


def _path_of(item: Path, name: str) -> Path:
    """Return the path of what the store of `item` calls `name`."""
    return Path(f"{item.parts[0]}/{name.lstrip('/')}")


@contextlib.contextmanager
def _store_errors(path: Path, what: str) -> Iterator[None]:
    """Raise whatever goes wrong with the object `path` as a UserError of one line; each package has its own errors."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{shown(path)}: no such file or bucket; check the path") from None
    except Exception as error:
        credentials = STORES[protocol_of(path)].credentials
        raise UserError(f"{shown(path)} cannot be {what} ({reason_of(error)}); check {credentials}") from None
