"""What a weight file may ask for, checked before anything is allocated, and its errors in one readable line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jaxsr.support.errors import UserError
from jaxsr.support.messages import one_line

MIB = 2**20
SPARE = 256 * MIB  # bytes that any file may expand to ...
EXPANSION = 4  # ... and per byte of a large one; weights hardly compress
MAX_TENSORS, MAX_NAME, MAX_DEPTH, MAX_AXES = 100_000, 512, 64, 32
MAX_REASON = 300  # characters of what a reader says of a file

START = 1024  # bytes that tell a web page
WEB_PAGE = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<script", b"<!--", b"<error")
EXPORT_SUFFIXES = (".onnx", ".stablehlo")
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class Budget:
    """The bytes that a file may still expand to: in proportion to its size, so that no small file takes gigabytes."""

    def __init__(self, path: Path) -> None:
        """Set the budget by the size of the file."""
        self._size = path.stat().st_size
        self.left = SPARE + EXPANSION * self._size

    def spend(self, size: int, what: str) -> None:
        """Take `size` bytes off the budget; raises ValueError, naming `what` needs them, where it has less."""
        if size > self.left:
            raise ValueError(
                f"{what} would bring the file to more than {SPARE // MIB} MiB and {EXPANSION} times its "
                f"{self._size} bytes"
            )
        self.left -= size


def check_name(name: str) -> str:
    """Return the name of an array; raises ValueError where it is longer than MAX_NAME."""
    if len(name) > MAX_NAME:
        raise ValueError(f"a name has {len(name)} characters, more than {MAX_NAME}: {name[:40]!r}...")
    return name


def check_count(count: int, limit: int = MAX_TENSORS) -> None:
    """Raise ValueError for more than `limit` arrays or parts of them."""
    if count > limit:
        raise ValueError(f"it has more than {limit} arrays or parts of arrays")


def check_downloaded(path: Path) -> None:
    """Raise UserError for an export, and where a download gave nothing, a web page or a pointer of git-lfs."""
    if path.suffix.lower() in EXPORT_SUFFIXES:
        raise UserError(one_line(f"{path} is an export, for other programs; give the weights that it was made from"))
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError as error:
        raise UserError(one_line(f"{path} cannot be read ({error.strerror}); check its permissions")) from None
    if not start:
        raise UserError(one_line(f"{path} is empty; get it again"))
    if start.startswith(LFS_POINTER):
        raise UserError(one_line(f"{path} is a pointer of git-lfs, not the weights themselves; get them: git lfs pull"))
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(WEB_PAGE):
        raise UserError(
            one_line(f"{path} is a web page, not weights; download the file itself, by the link that says so")
        )


@contextmanager
def refusals(path: Path, kind: str, remedy: str) -> Iterator[None]:
    """Raise whatever goes wrong in the block as a UserError of one line that names the file and the reason."""
    try:
        yield
    except UserError as error:
        raise UserError(one_line(error)) from None
    except Exception as error:  # broken and hostile files make readers raise errors of every type
        reason = _reason(error)
        raise UserError(one_line(f"{path} is {kind}: {one_line(reason, MAX_REASON)}; {remedy}")) from error


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "it does not fit into memory"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).strip() or type(error).__name__
