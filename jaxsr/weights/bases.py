"""Published PCA bases of blur kernels, which DAN takes beside its weights."""

from pathlib import Path

import numpy as np

from jaxsr.models.dan import check_basis
from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.importers.import_dan import as_basis


def load_basis(path: str | Path, *, kernel_size: int, code_length: int) -> np.ndarray:
    """Return the basis (kernel_size², code_length), float32, from a file of one matrix (.pth, .npz, .safetensors).

    Raises UserError for a file that is missing or broken, holds several arrays, or has a basis of another size.
    """
    basis = read_basis(path)
    try:
        check_basis(basis.shape, kernel_size, code_length)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return np.ascontiguousarray(basis, np.float32)


def read_basis(path: str | Path) -> np.ndarray:
    """Return the one matrix in a file, of whatever size; raises UserError for several, and for none."""
    tensors = read_tensors(path)
    if len(tensors) != 1:
        raise UserError(
            f"{path} holds {len(tensors)} arrays ({', '.join(list(tensors)[:4])}); a PCA basis is one matrix"
        )
    (basis,) = tensors.values()
    try:
        return as_basis(basis)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
