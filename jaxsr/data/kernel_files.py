"""Blur kernels in files: .npz or .mat, under the name `Kernel`, in correlation orientation."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw

from jaxsr.support.errors import UserError
from jaxsr.support.files import written_whole
from jaxsr.support.paths import is_file
from jaxsr.weights.formats import read_tensors

KEY = "Kernel"
KEY_X2 = "Kernel_x2"  # beside a kernel for x4, where the one for x2 is known too
KEY_SCALE = "scale"  # that an estimated kernel reduces by; files of others have none
SUFFIXES = (".npz", ".mat")
LABEL_HEIGHT = 16  # of the line below a picture


def write_kernel(path: str | Path, kernel: np.ndarray, extras: Mapping[str, ArrayLike] | None = None) -> None:
    """Write `kernel` (k, k) to `path`, with the arrays of `extras` in the same file: see `write_arrays`."""
    write_arrays(path, {KEY: np.asarray(kernel, np.float32), **(extras or {})})


def write_arrays(path: str | Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write `arrays` to `path`, .npz or .mat, whole or not at all; raises UserError for another suffix."""
    path = Path(path)
    _check_suffix(path)
    with written_whole(path) as temporary, temporary.open("wb") as file:  # to a name they might add a suffix
        if path.suffix.lower() == ".npz":
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  # no array is named allow_pickle
        else:
            scipy.io.savemat(file, arrays)


def read_kernel(path: str | Path) -> np.ndarray:
    """Return the kernel (k, k), float32, of the file `path`, divided by its sum.

    Raises UserError for a file that is missing or broken, or whose `Kernel` is no square of finite numbers, at least
    3x3, with a sum near 1. Which scale it is for is not checked: `read_kernels` does.
    """
    return _checked(path, _read(Path(path))[KEY])


def read_kernels(path: str | Path, scale: int) -> np.ndarray | list[np.ndarray]:
    """Return the kernel for `scale` of the file `path`; for 4 and a file that has both, those for x2 and x4.

    Raises UserError as `read_kernel` does, and where the file says that its kernel is for another scale.
    """
    arrays = _read(Path(path))
    kernel, kernel_x2 = _checked(path, arrays[KEY]), arrays.get(KEY_X2)
    if kernel_x2 is not None and scale in (2, 4):
        first = _checked(path, kernel_x2)
        return first if scale == 2 else [first, kernel]
    known = np.ravel(arrays.get(KEY_SCALE, scale) if kernel_x2 is None else 4)
    if len(known) == 1 and known[0] != scale:
        raise UserError(f"{path} holds the kernel for scale {known[0]}, not {scale}; give one for scale {scale}")
    return kernel


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a kernel file; raises UserError where `Kernel` is not among them."""
    _check_suffix(path)
    if not is_file(path):
        raise UserError(f"no kernel file {path}; check the path")
    arrays = read_tensors(path)
    if KEY not in arrays:
        raise UserError(f"{path} holds no array {KEY!r} but {', '.join(arrays)}; save the kernel by that name")
    return arrays


def _checked(path: str | Path, kernel: np.ndarray) -> np.ndarray:
    """Return `kernel` (k, k) divided by its sum, or raise UserError unless it is a square whose sum is near 1."""
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or len(kernel) < 3:
        raise UserError(f"{path}: a kernel is a square of at least 3x3 pixels; got shape {kernel.shape}")
    if not np.isfinite(kernel).all():
        raise UserError(f"{path}: the kernel holds values that are not finite; make it again")
    total = kernel.sum(dtype=np.float64)
    if not 0.9 < total < 1.1:
        raise UserError(f"{path}: a kernel sums to 1 (0.9 to 1.1 is scaled); got {total:g}; divide by the sum")
    return (kernel / total).astype(np.float32)


def kernel_picture(kernel: np.ndarray, *, side: int = 336, centre: float | None = None) -> np.ndarray:
    """Return a picture (about `side`, the same, 3), uint8, of `kernel` (k, k): white is its largest entry.

    Each entry is a square; up is up in the photo, as the kernel lies on it when it is correlated. With `centre`, the
    row and column from 0 where the kernel's own should lie, a red cross marks it, and a line below says the extent.
    """
    levels = np.clip(kernel / kernel.max(), 0, 1) * 255
    cell = max(side // len(kernel), 1)
    picture = np.rint(levels).astype(np.uint8).repeat(cell, 0).repeat(cell, 1)[..., None].repeat(3, 2)
    return picture if centre is None else _labelled(picture, round((centre + 0.5) * cell), cell, len(kernel))


def _labelled(picture: np.ndarray, middle: int, cell: int, size: int) -> np.ndarray:
    """Return `picture` with a cross of a cell's size at `middle`, and a line of text below."""
    image = Image.fromarray(np.pad(picture, ((0, LABEL_HEIGHT), (0, 0), (0, 0))))
    draw, reach = ImageDraw.Draw(image), max(cell // 2, 1)
    draw.line((middle - reach, middle, middle + reach, middle), fill=(255, 0, 0))
    draw.line((middle, middle - reach, middle, middle + reach), fill=(255, 0, 0))
    draw.text((2, len(picture) + 2), f"{size} x {size} pixels, correlation; cross: centre", fill=(255, 255, 255))
    return np.asarray(image)


def is_kernel_name(path: Path) -> bool:
    """Return whether the name of `path` is one of a kernel file, in small letters or capitals."""
    return path.suffix.lower() in SUFFIXES


def _check_suffix(path: Path) -> None:
    if not is_kernel_name(path):
        raise UserError(f"{path} is not a kernel file: the name must end in {' or '.join(SUFFIXES)}")
