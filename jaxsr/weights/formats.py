"""Published weight files of any common format as flat names and arrays, in the layout of their framework."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from jaxsr.support.errors import UserError, choose
from jaxsr.weights.matlab_files import read_matlab
from jaxsr.weights.torch_files import read_torch

WRAPPERS = ("state_dict", "params_ema", "params", "model", "net", "generator")


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Return {dotted name: array} of a .pth, .pt, .ckpt, .mat, .npz or .safetensors file.

    Of a PyTorch file that wraps its weights in `WRAPPERS`, the first of them is read; the prefix of DataParallel is
    removed. Raises UserError for a file that is missing, of another kind, broken, hostile, or without arrays.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"no weight file {path}; check the path")
    tensors = choose("kind of weight file", path.suffix.lower(), READERS)(path)
    if not tensors:
        raise UserError(f"{path} holds no arrays; give a file of weights")
    return tensors


def _unwrapped(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    for wrapper in (*WRAPPERS, "module"):
        inside = {name.removeprefix(f"{wrapper}."): x for name, x in tensors.items() if name.startswith(f"{wrapper}.")}
        if inside and (wrapper != "module" or len(inside) == len(tensors)):
            tensors = inside
    return tensors


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file.items())
    except Exception as error:  # broken archives, broken headers and refused pickles raise errors of many types
        raise UserError(f"{path} is no readable .npz file ({error}); copy it again") from error


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is no readable .safetensors file ({error}); copy it again") from error


READERS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    **dict.fromkeys((".pth", ".pt", ".ckpt"), lambda path: _unwrapped(read_torch(path))),
    ".mat": read_matlab,
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
}
