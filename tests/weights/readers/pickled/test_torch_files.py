"""PyTorch's files read without it, and nothing in them run."""

import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from tests.helpers.torch_writer import Flat, View, fake_torch, tensor, write_stream, write_zip

RNG = np.random.default_rng(0)
WEIGHT, BIAS = RNG.random((4, 3, 2, 2)).astype(np.float32), RNG.random(4).astype(np.float32)
WRITERS = {"zip": write_zip, "stream": write_stream}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    """Return a function that writes a root object and gives the path."""

    def to_file(root):
        WRITERS[request.param](tmp_path / "weights.pth", root)
        return tmp_path / "weights.pth"

    return to_file


def test_a_state_dict(write):
    tensors = read_tensors(write({"conv.weight": tensor(WEIGHT), "conv.bias": tensor(BIAS)}))
    assert list(tensors) == ["conv.weight", "conv.bias"]
    np.testing.assert_array_equal(tensors["conv.weight"], WEIGHT)
    np.testing.assert_array_equal(tensors["conv.bias"], BIAS)


def test_wrappers_and_data_parallel_are_taken_off(write):
    state = {"module.conv.weight": tensor(WEIGHT), "module.conv.bias": tensor(BIAS)}
    tensors = read_tensors(write({"epoch": 3, "state_dict": state, "optimizer": {"step": tensor(BIAS)}}))
    assert list(tensors) == ["conv.weight", "conv.bias"]


def test_views_of_one_storage(write):
    """A transposed slice with an offset, next to the whole."""
    flat = Flat(np.arange(24, dtype=np.float32))
    tensors = read_tensors(write({"whole": View(flat, 0, (4, 6), (6, 1)), "part": View(flat, 7, (2, 3), (1, 6))}))
    np.testing.assert_array_equal(tensors["whole"], np.arange(24).reshape(4, 6))
    np.testing.assert_array_equal(tensors["part"], np.arange(24).reshape(4, 6)[1:4, 1:3].T)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int64])
def test_types_and_scalars(dtype, write):
    array = np.array([3, -2, 7], dtype)
    tensors = read_tensors(write({"a": tensor(array), "scalar": View(Flat(array), 1, (), ())}))
    np.testing.assert_array_equal(tensors["a"], array)
    assert tensors["a"].dtype == dtype and tensors["scalar"] == -2


def test_a_bare_tensor_is_named(write):
    np.testing.assert_array_equal(read_tensors(write(tensor(BIAS)))["tensor"], BIAS)


def test_a_whole_module_gives_its_parameters(write):
    def module():
        conv = sys.modules["torch.nn"].Conv2d()
        conv._parameters = {"weight": tensor(WEIGHT), "bias": None}
        conv._buffers, conv._modules = {"mean": tensor(BIAS)}, {}
        net = sys.modules["torch.nn"].Conv2d()
        net._parameters, net._buffers, net._modules = {}, {}, {"conv": conv}
        return {"epoch": 7, "model": net}

    tensors = read_tensors(write(module))
    assert list(tensors) == ["conv.weight", "conv.mean"]
    np.testing.assert_array_equal(tensors["conv.weight"], WEIGHT)


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def attacks(marker):
    """Return root objects that would create the file `marker`, by the name they are refused with."""
    command = f"touch {marker}"
    return {
        "posix.system": Calls(os.system, command),
        "builtins.eval": Calls(eval, f"open({str(marker)!r}, 'w').close()"),
        "builtins.exec": {"state_dict": [Calls(exec, f"open({str(marker)!r}, 'w').close()")]},
        "subprocess.Popen": {"a": tensor(BIAS), "b": Calls(subprocess.Popen, ["touch", str(marker)])},
        "builtins.getattr": Calls(getattr, Calls(__import__, "os"), "system"),
        "io.open": Calls(open, str(marker), "w"),
        "pathlib.Path": Calls(type(marker.parent).touch, marker),
    }


@pytest.mark.parametrize("name", attacks(pathlib.Path("x")))
def test_hostile_files_are_refused_and_nothing_runs(name, write, tmp_path):
    marker = tmp_path / "ran"
    path = write(attacks(marker)[name])
    with pytest.raises(UserError, match="weights.pth is refused: it (names|calls) "):
        read_tensors(path)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["posix.system", "builtins.eval"])
def test_the_attacks_are_real(name, tmp_path):
    """Python's own unpickler runs them."""
    marker = tmp_path / "ran"
    pickle.loads(pickle.dumps(attacks(marker)[name]))
    assert marker.exists()


def test_an_unknown_class_may_not_be_called(write):
    def root():
        return Calls(sys.modules["torch.nn"].Conv2d)

    with pytest.raises(UserError, match="it calls torch.nn.Conv2d, which is not a tensor"):
        read_tensors(write(root))


@pytest.mark.parametrize("size", [(100,), (2, 3), (-1,)])
def test_a_tensor_beyond_its_storage_is_refused(size, write):
    with pytest.raises(UserError, match="is refused: a tensor"):
        read_tensors(write({"a": View(Flat(BIAS), 0, size, (1,) * len(size) if len(size) == 1 else (3, 1))}))


@pytest.mark.parametrize("kept", [0.01, 0.3, 0.8, 0.98])
def test_truncated_files_are_refused(kept, write):
    path = write({"a": tensor(WEIGHT), "b": tensor(BIAS)})
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(UserError, match="weights.pth ends early, as after a download that broke off; get it again"):
        read_tensors(path)


def test_a_file_of_another_kind_does_not_end_early(tmp_path):
    (tmp_path / "weights.pth").write_text("some text")
    with pytest.raises(UserError, match="weights.pth is refused"):
        read_tensors(tmp_path / "weights.pth")


def test_the_fake_modules_are_not_left_behind():
    assert not set(fake_torch()) & set(sys.modules)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "count", "name", "shape"),
    [
        ("dan_pca_iso_21.pth", 1, "tensor", (441, 10)),
        ("srgan_leftthomas_x4.pth", 79, "block1.0.weight", (64, 3, 9, 9)),
        ("vdsr_twtygqyy.pth", 20, "input.weight", (64, 1, 3, 3)),
        ("vgg19_torchvision_conv1_1_to_conv3_1.pth", 10, "conv3_1.weight", (256, 128, 3, 3)),
    ],
)
def test_published_files(shared, file, count, name, shape):
    tensors = read_tensors(shared / "weights" / file)
    assert len(tensors) == count and tensors[name].shape == shape
    assert all(np.isfinite(x).all() for x in tensors.values())


def test_an_archive_cut_off_is_not_read_as_a_pickle(tmp_path):
    """Its first letter is an opcode, so what follows, the time of writing too, could be taken for text."""
    path = tmp_path / "weights.pth"
    for text in (b"\\.\n", b"'\n", b"\xff\n"):
        path.write_bytes(b"PK\x03\x04" + text + bytes(200))
        with pytest.raises(UserError, match="weights.pth ends early"):
            read_tensors(path)
