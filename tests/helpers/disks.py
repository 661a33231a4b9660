"""A disk without room."""

import contextlib
import resource


@contextlib.contextmanager
def full_disk(free):
    """Let no file have more than `free` bytes: writing on fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
