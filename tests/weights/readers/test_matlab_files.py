"""MATLAB files of both versions give the same arrays."""

import h5py
import numpy as np
import pytest
import scipy.io

from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors

WEIGHT = np.random.default_rng(0).random((3, 4, 2))


def write_hdf5(path, build):
    """Write a version 7.3 file; `build(file, put)` fills it, `put(array)` giving a reference as cells hold them."""
    with h5py.File(path, "w") as file:
        hidden = file.create_group("#refs#")

        def put(array):
            return hidden.create_dataset(f"r{len(hidden)}", data=np.asarray(array).T).ref

        build(file, put)


def test_plain_arrays(tmp_path):
    scipy.io.savemat(tmp_path / "five.mat", {"weights": WEIGHT, "title": "text"})
    write_hdf5(tmp_path / "seven.mat", lambda file, _: file.create_dataset("weights", data=WEIGHT.T))
    for name in ("five.mat", "seven.mat"):
        tensors = read_tensors(tmp_path / name)
        assert list(tensors) == ["weights"]
        np.testing.assert_array_equal(tensors["weights"], WEIGHT)


def test_cells_in_a_structure_count_from_zero(tmp_path):
    cell = np.empty((1, 2), object)
    cell[0, 0], cell[0, 1] = WEIGHT, WEIGHT + 1
    scipy.io.savemat(tmp_path / "five.mat", {"model": {"weight": cell}})

    def build(file, put):
        references = [[put(WEIGHT)], [put(WEIGHT + 1)]]
        file.create_dataset("model/weight", data=references, dtype=h5py.ref_dtype)

    write_hdf5(tmp_path / "seven.mat", build)
    for name in ("five.mat", "seven.mat"):
        tensors = read_tensors(tmp_path / name)
        assert list(tensors) == ["model.weight.0", "model.weight.1"]
        np.testing.assert_array_equal(tensors["model.weight.1"], WEIGHT + 1)


def test_named_parameters_go_by_their_names(tmp_path):
    entries = np.zeros((1, 2), [("name", object), ("value", object)])
    for i, name in enumerate(("conv_f", "conv_b")):
        entries[0, i] = (name, WEIGHT + i)
    scipy.io.savemat(tmp_path / "five.mat", {"net": {"params": entries}})

    def build(file, put):
        codes = [[put([[ord(letter) for letter in name]])] for name in ("conv_f", "conv_b")]
        file.create_dataset("net/params/name", data=codes, dtype=h5py.ref_dtype)
        file.create_dataset("net/params/value", data=[[put(WEIGHT + i)] for i in (0, 1)], dtype=h5py.ref_dtype)

    write_hdf5(tmp_path / "seven.mat", build)
    for name in ("five.mat", "seven.mat"):
        tensors = read_tensors(tmp_path / name)
        assert sorted(tensors) == ["net.params.conv_b", "net.params.conv_f"]
        np.testing.assert_array_equal(tensors["net.params.conv_b"], WEIGHT + 1)


def test_broken_files_are_told(tmp_path):
    scipy.io.savemat(tmp_path / "cut.mat", {"weights": WEIGHT})
    (tmp_path / "cut.mat").write_bytes((tmp_path / "cut.mat").read_bytes()[:150])
    with pytest.raises(UserError, match="cut.mat is not a readable MATLAB file"):
        read_tensors(tmp_path / "cut.mat")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "name", "shape"),
    [
        ("srcnn_915_x3.mat", "weights_conv2", (64, 1, 32)),
        ("vdsr_matconvnet_adam.mat", "model.weight.19", (3, 3, 64)),
        ("lapsrn_matconvnet_x4.mat", "net.params.input_conv_f", (3, 3, 1, 64)),
    ],
)
def test_published_files(shared, file, name, shape):
    tensors = read_tensors(shared / "weights" / file)
    assert name in tensors, list(tensors)
    assert tensors[name].shape == shape
