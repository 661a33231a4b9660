"""Members of zip archives, decompressed within a budget."""

import zipfile
from pathlib import Path

from jaxsr.weights.readers.bounds import MAX_TENSORS, Budget, check_count

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others set up memory as a file says
SPARE_ENTRIES = MAX_TENSORS // 10  # beside the tensors themselves


def open_zip(path: Path) -> zipfile.ZipFile:
    """Return the archive; raises ValueError where it has more members than weights have."""
    archive = zipfile.ZipFile(path)
    check_count(len(archive.infolist()) - SPARE_ENTRIES)
    return archive


def read_member(archive: zipfile.ZipFile, name: str, budget: Budget) -> bytes:
    """Return the content of a member, as many bytes as its entry says, which are taken off the budget before."""
    entry = archive.getinfo(name)
    if entry.compress_type not in METHODS:
        raise ValueError(f"{name!r} is compressed by method {entry.compress_type}; weights are stored or deflated")
    budget.spend(entry.file_size, f"{name!r} of {entry.file_size} bytes")
    with archive.open(entry) as member:
        content = member.read(entry.file_size)  # without the size, 2 GiB are decompressed at once
    if len(content) != entry.file_size:
        raise ValueError(f"{name!r} has {len(content)} bytes, not {entry.file_size}")
    return content
