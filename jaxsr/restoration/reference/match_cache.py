"""The matches of training photos with their references, kept in files between runs: positions, not features."""

import contextlib
import hashlib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jaxsr.data.kernel_files import write_arrays
from jaxsr.support.files import file_digest

VERSION = 1  # raised when matching changes
LARGEST = np.iinfo(np.int16).max  # of a row, a column, or a reference's number

MatchArrays = tuple[np.ndarray, np.ndarray]  # positions and similarity


def cached_matches(
    folder: str | Path, files: Sequence[str | Path], crop: Sequence[int], find: Callable[[], MatchArrays]
) -> MatchArrays:
    """Return matched positions (H-2, W-2, 3) int32 and cosine similarity (H-2, W-2) float32, from `folder` if there.

    Otherwise `find` gives them, and they are written there. `files` are the HR photo and its references, `crop` the
    numbers that say which part of them is matched. The file in `folder` is named by a digest of their contents: a photo
    that changes is matched again. Positions take 6 bytes for a pixel of the LR photo, features would take 448;
    references have fewer than 32768 pixels of relu3_1 a side. Raises ValueError for larger ones.
    """
    path = Path(folder) / f"{digest(files, crop)}.npz"
    if path.is_file():
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return arrays["places"].astype(np.int32), arrays["similarity"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            path.unlink()  # a broken file: matched again below
    positions, similarity = (np.asarray(x) for x in find())
    if positions.max(initial=0) > LARGEST:
        raise ValueError(f"positions up to {positions.max()} do not fit the cache's 16 bits")
    with contextlib.suppress(OSError):  # without a cache the next run matches again
        write_arrays(path, {"places": positions.astype(np.int16), "similarity": similarity})
    return positions, similarity


def digest(files: Sequence[str | Path], crop: Sequence[int]) -> str:
    """Return a name for the contents of `files`, in this order, at `crop`."""
    total = hashlib.sha256(repr((VERSION, [int(number) for number in crop])).encode())
    for path in files:
        total.update(bytes.fromhex(file_digest(path)))
    return total.hexdigest()[:32]
