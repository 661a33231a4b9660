"""The common formats without code in them, and what is told of files that are none."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.readers.pickled.torch_files import STREAM_START

ARRAYS = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "a.bias": np.ones(2, np.float32)}


def test_npz_and_safetensors(tmp_path):
    np.savez(tmp_path / "w.npz", **ARRAYS)
    save_file(ARRAYS, tmp_path / "w.safetensors")
    for name in ("w.npz", "w.safetensors"):
        tensors = read_tensors(tmp_path / name)
        assert set(tensors) == set(ARRAYS)
        np.testing.assert_array_equal(tensors["a.weight"], ARRAYS["a.weight"])


def test_an_npz_of_objects_is_refused(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.array([{}], object))
    with pytest.raises(UserError, match="w.npz is not a readable .npz file"):
        read_tensors(tmp_path / "w.npz")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.h5", b"x", "unknown kind of weight file '.h5'"),
        ("w.onnx", b"x", "w.onnx is an export, for other programs; give the weights that it was made from"),
        ("w.StableHLO", b"x", "w.StableHLO is an export"),
        ("w.npz", b"x", "w.npz is not a readable .npz file"),
        ("w.safetensors", b"x", "w.safetensors is not a readable .safetensors file"),
        ("w.pth", b"x", "w.pth is refused"),
        ("w.mat", b"x", "w.mat is not a readable MATLAB file"),
        ("w.mat", b"", "w.mat is empty"),
        ("w.pth", b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "w.pth is a .mat file by its first bytes"),
        ("w.npz", b"\x93NUMPY\x01\x00", "w.npz is a .npy file by its first bytes"),
        ("w.mat", STREAM_START + bytes(9), "w.mat is a .pth file by its first bytes"),
        ("w.pt", STREAM_START + bytes(9), "w.pt is refused"),
    ],
)
def test_other_files(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_tensors(tmp_path / name)


def test_missing_and_empty_files(tmp_path):
    with pytest.raises(UserError, match="no weight file"):
        read_tensors(tmp_path / "gone.pth")
    np.savez(tmp_path / "empty.npz")
    with pytest.raises(UserError, match="holds no arrays"):
        read_tensors(tmp_path / "empty.npz")


@pytest.mark.parametrize("folder", [".", "/"])
def test_folders_without_a_name(folder):
    with pytest.raises(UserError, match=f"^no weight file {folder}; check the path"):
        read_tensors(folder)
