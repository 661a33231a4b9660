"""Published PCA bases, and files that hold none."""

import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.weights.bases import load_basis


@pytest.mark.shared
@pytest.mark.parametrize(("name", "size", "length"), [("iso_21", 21, 10), ("aniso_11", 11, 10), ("aniso_31", 31, 15)])
def test_published_bases_are_orthonormal(shared, name, size, length):
    basis = load_basis(shared / "weights" / f"dan_pca_{name}.pth", kernel_size=size, code_length=length)
    assert basis.dtype == np.float32
    np.testing.assert_allclose(basis.T @ basis, np.eye(length), atol=1e-5)


@pytest.mark.shared
def test_the_code_of_a_delta_kernel(shared):
    with np.load(shared / "golden" / "danv1_x2.npz") as data:
        basis = load_basis(shared / "weights" / "dan_pca_iso_21.pth", kernel_size=21, code_length=10)
        np.testing.assert_array_equal(basis, data["param/encoder"][0])
        np.testing.assert_allclose(basis[441 // 2], data["param/init_ker_map"][0], atol=1e-6)


def test_mistakes_are_named(tmp_path):
    np.savez(tmp_path / "one.npz", basis=np.zeros((121, 10)))
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(2))
    assert load_basis(tmp_path / "one.npz", kernel_size=11, code_length=10).shape == (121, 10)
    with pytest.raises(UserError, match=r"one.npz: a PCA basis of shape \(121, 10\) .* 21x21 .* \(441, 10\)"):
        load_basis(tmp_path / "one.npz", kernel_size=21, code_length=10)
    with pytest.raises(UserError, match=r"two.npz holds 2 arrays \(a, b\); a PCA basis is one matrix"):
        load_basis(tmp_path / "two.npz", kernel_size=21, code_length=10)
