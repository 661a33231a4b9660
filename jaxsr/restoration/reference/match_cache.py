"""Where the patches of training photos were found in their references, kept between runs: places, not features."""

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jaxsr.data.kernel_files import write_arrays

VERSION = 1  # raised when matching changes
LARGEST = np.iinfo(np.int16).max  # of a row, a column, or a reference's number


def cached_matches(
    folder: str | Path,
    files: Sequence[str | Path],
    crop: Sequence[int],
    find: Callable[[], tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Return places (H-2, W-2, 3) int32 and similarity (H-2, W-2) float32 from `folder`, or by `find`, then kept there.

    `files` are the sharp photo and its references, `crop` the numbers that say what of them is matched: the file in
    `folder` is named by a digest of what they contain, so that a photo that changes is matched again. Places take 6
    bytes for a pixel of the small photo, features would take 448; references are below 32768 pixels of relu3_1 a side.
    """
    path = Path(folder) / f"{digest(files, crop)}.npz"
    if path.is_file():
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return arrays["places"].astype(np.int32), arrays["similarity"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            path.unlink()  # a broken copy: found again below
    places, similarity = (np.asarray(x) for x in find())
    if places.max(initial=0) > LARGEST:
        raise ValueError(f"places up to {places.max()} do not fit the cache's 16 bits")
    write_arrays(path, {"places": places.astype(np.int16), "similarity": similarity})
    return places, similarity


def digest(files: Sequence[str | Path], crop: Sequence[int]) -> str:
    """Return a name for what `files`, in this order, contain at `crop`."""
    found = hashlib.sha256(repr((VERSION, [int(number) for number in crop])).encode())
    for path in files:
        with Path(path).open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[:32]
