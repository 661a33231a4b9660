"""Paths of object stores: which addresses name them, and the file systems that reach them, by fsspec.

A command's line names `s3://bucket/photos/a.png`. Inside jaxsr that is the path `s3:/bucket/photos/a.png`, which has
the parts, names and suffixes of any other, but cannot be opened; `shown` is what the user wrote.
"""

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from jaxsr.support.errors import UserError, choose
from jaxsr.support.paths import SEPARATOR, real_path

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

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
    name = str(file_system(protocol)._strip_protocol(address)).strip("/")
    if not name or any(part in ("", ".", "..") for part in name.split("/")):
        raise UserError(f"{address} names no folder or file; write for example {protocol}://bucket/photos")
    return Path(f"{protocol}:/{name}")


def shown(path: Path) -> str:
    """Return `path` as the user writes it: its address where it is in a store."""
    if not in_store(path):
        return str(path)
    protocol = protocol_of(path)
    return protocol + SEPARATOR + ("/" if protocol == LOCAL else "") + "/".join(path.parts[1:])


def place_of(path: Path) -> Path:
    """Return `path` with its links followed, the same for file:///a/b.png as for /a/b.png."""
    return real_path("/".join(("", *path.parts[1:])) if in_store(path) and protocol_of(path) == LOCAL else path)


def protocol_of(path: Path) -> str:
    """Return the kind of store that `path` is in, a key of STORES."""
    return path.parts[0][:-1]


@functools.cache  # fsspec itself would open one for each thread
def file_system(protocol: str) -> "AbstractFileSystem":
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
        raise UserError(
            f"{protocol}{SEPARATOR} is not reached ({reason_of(error)}); check {store.credentials}"
        ) from None


def reason_of(error: Exception) -> str:
    """Return the first line of what a store's package says."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
