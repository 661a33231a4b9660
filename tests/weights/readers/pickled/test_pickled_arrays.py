"""Lists of arrays that NumPy pickles, and pickles of anything else."""

import io
import pickle

import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.readers.pickled.pickled_arrays import read_pickled

ARRAYS = [
    np.random.default_rng(0).random((3, 3, 1, 4), np.float32),
    np.arange(5),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.array(2.5, ">f8"),
]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_in_lists(protocol):
    for value in (ARRAYS, tuple(ARRAYS), [ARRAYS[:1], ARRAYS[1:]]):
        read = read_pickled(pickle.dumps(value, protocol))
        assert len(read) == len(ARRAYS)
        for x, expected in zip(read, ARRAYS, strict=True):
            np.testing.assert_array_equal(x, expected)


def test_files(tmp_path):
    listed = np.empty(len(ARRAYS), object)
    listed[:] = ARRAYS
    np.savez(tmp_path / "w.npz", params=listed, other=ARRAYS[1])
    np.save(tmp_path / "w.npy", listed)
    assert list(read_tensors(tmp_path / "w.npz")) == [*(f"params.{i}" for i in range(4)), "other"]
    np.testing.assert_array_equal(read_tensors(tmp_path / "w.npy")["tensor.2"], ARRAYS[2])


class Runs:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    "value", [Runs(), print, [np.float32], {"a": 1}, [ARRAYS, "text"], np.array([1j, "x"], object)]
)
def test_other_objects_are_refused(value, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"it names|it holds"):
        read_pickled(pickle.dumps(value, 2))
    listed = np.empty(1, object)
    listed[0] = value
    np.savez(tmp_path / "w.npz", listed)
    with pytest.raises(UserError, match="holds objects, which are pickles"):
        read_tensors(tmp_path / "w.npz")
    assert not capsys.readouterr().out


def test_damaged_pickles_raise_nothing_but_user_errors(tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (4,)})
    header, content, rng = stream.getvalue(), pickle.dumps(ARRAYS, 2), np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        for place in rng.integers(len(content), size=rng.integers(1, 9)):
            damaged[place] = rng.integers(256)
        (tmp_path / "w.npy").write_bytes(header + bytes(damaged))
        try:
            read_tensors(tmp_path / "w.npy")
        except UserError:
            refused += 1
    assert refused > 50
