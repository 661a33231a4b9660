"""Published weight files of any common format as flat names and arrays, in the layout of their framework."""

from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np

from jaxsr.support.errors import UserError, choose
from jaxsr.support.messages import one_line
from jaxsr.support.paths import is_file
from jaxsr.weights.readers.bounds import check_downloaded
from jaxsr.weights.readers.matlab_files import read_matlab
from jaxsr.weights.readers.numpy_files import read_npy, read_npz
from jaxsr.weights.readers.pickled.torch_files import STREAM_START, read_torch
from jaxsr.weights.readers.safetensors_files import read_safetensors
from jaxsr.weights.readers.tensorflow_files import index_of, is_checkpoint, read_tensorflow

WRAPPERS = ("state_dict", "params_ema", "params", "model", "net", "generator")


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Return {name: array} of a .pth, .pt, .ckpt, .mat, .npz, .npy or .safetensors file, or TensorFlow's checkpoint.

    The last is named by one of its files or their prefix. Of a PyTorch file that wraps its weights in `WRAPPERS`, the
    first of them is read; the prefix of DataParallel is removed. bfloat16 becomes float32, texts are left out. Raises
    UserError, in one readable line, for a file that is missing, of another kind, broken, hostile, no weights at all (a
    web page), or without arrays of real numbers.
    """
    path = index_of(Path(path))
    if not is_file(path):
        raise UserError(one_line(f"no weight file {path}; check the path"))
    check_downloaded(path)
    tensorflow = path.suffix == ".index" or is_checkpoint(path)
    reader = read_tensorflow if tensorflow else _reader_of(path)
    tensors = {name: _real(path, name, x) for name, x in reader(path).items()}
    if not tensors:
        raise UserError(one_line(f"{path} holds no arrays; give a file of weights"))
    return tensors


def _reader_of(path: Path) -> Callable[[Path], dict[str, np.ndarray]]:
    """Return the reader by a file's suffix; raises UserError for another's, and where its first bytes belie it."""
    reader = choose("kind of weight file", path.suffix.lower(), READERS)
    with path.open("rb") as file:
        start = file.read(max(map(len, STARTS)))
    for mark, suffix in STARTS.items():
        if start.startswith(mark) and reader is not READERS[suffix]:
            raise UserError(one_line(f"{path} is a {suffix} file by its first bytes; let its name end so"))
    return reader


def _real(path: Path, name: str, x: np.ndarray) -> np.ndarray:
    """Return an array of real numbers, of a type of NumPy's own: ml_dtypes adds those of 8 bits and fewer."""
    if x.dtype == ml_dtypes.bfloat16:
        return x.astype(np.float32)
    if x.dtype.kind not in "fiub" or x.dtype.isbuiltin == 2:
        raise UserError(one_line(f"{path}: {name!r} holds {x.dtype}, no real numbers; save it as float32"))
    return x


def _unwrapped(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    for wrapper in (*WRAPPERS, "module"):
        inside = {name.removeprefix(f"{wrapper}."): x for name, x in tensors.items() if name.startswith(f"{wrapper}.")}
        layers = any(name[:1].isdigit() for name in inside)  # of a sequence that is called so, not of a wrapper
        if inside and not layers and (wrapper != "module" or len(inside) == len(tensors)):
            tensors = inside
    return tensors


READERS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    **dict.fromkeys((".pth", ".pt", ".ckpt"), lambda path: _unwrapped(read_torch(path))),
    ".mat": read_matlab,
    ".npz": read_npz,
    ".npy": read_npy,
    ".safetensors": lambda path: read_safetensors(path)[0],
}
STARTS = {b"MATLAB ": ".mat", b"\x93NUMPY": ".npy", STREAM_START: ".pth"}  # first bytes; zips are of several kinds
