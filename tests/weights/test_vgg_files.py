"""VGG19's weights by every naming and layout, from every place, and files that are none."""

import hashlib

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.io

from jaxsr.models.vgg import CONVOLUTIONS, VGG19
from jaxsr.support.errors import UserError
from jaxsr.weights.vgg_files import TORCHVISION, find_file, load_vgg
from tests.helpers.networks import random_vgg
from tests.helpers.torch_writer import tensor, write_zip

NUMBERS = dict(zip(CONVOLUTIONS, (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34), strict=True))
PARAMS = random_vgg("conv3_1")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    """Let no file of the user's be found."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAXSR_VGG19", raising=False)


def torch_tensors(params, name):
    """Return {PyTorch's name: array (out, in, 3, 3)}; `name` gives a layer's."""
    weights = {f"{name(layer)}.weight": x["kernel"].transpose(3, 2, 0, 1).copy() for layer, x in params.items()}
    return weights | {f"{name(layer)}.bias": x["bias"] for layer, x in params.items()}


def write_torchvision(path, **others):
    tensors = torch_tensors(PARAMS, lambda layer: f"features.{NUMBERS[layer]}") | others
    write_zip(path, lambda: {name: tensor(x) for name, x in tensors.items()})


def write_matconvnet(path, fields):
    """Write the list of layers, a dense one and those without weights among them."""
    weights = [[PARAMS[name]["kernel"], PARAMS[name]["bias"][None]] for name in PARAMS]
    weights.append([np.zeros((7, 7, 512, 8), np.float32), np.zeros((1, 8), np.float32)])
    layers = np.empty((1, 2 * len(weights)), object)
    for i, pair in enumerate(weights):
        cell = np.empty((1, 2), object)
        cell[0, 0], cell[0, 1] = pair
        held = {"weights": cell} if fields == "weights" else dict(zip(("filters", "biases"), pair, strict=True))
        layers[0, 2 * i] = {"type": "conv", "name": f"layer{i}", "stride": np.ones((1, 2)), **held}
        layers[0, 2 * i + 1] = {"type": "relu", "name": f"relu{i}"}
    scipy.io.savemat(path, {"layers": layers, "meta": {"normalization": {"averageImage": np.zeros((1, 1, 3))}}})


def write(kind, folder):
    """Return a file of PARAMS."""
    if kind == "torchvision":
        path = folder / "vgg.pth"
        write_torchvision(path, **{"classifier.0.weight": np.zeros((8, 8), np.float32)})
        return path
    if kind in ("weights", "filters"):
        write_matconvnet(folder / "vgg.mat", kind)
        return folder / "vgg.mat"
    if kind == "named torch":
        arrays = torch_tensors(PARAMS, lambda layer: layer)
    else:
        parts = {"W": "kernel", "b": "bias"}
        arrays = {f"{layer}_{theirs}": x[ours] for layer, x in PARAMS.items() for theirs, ours in parts.items()}
    np.savez(folder / "vgg.npz", **arrays)
    return folder / "vgg.npz"


@pytest.mark.parametrize(
    ("kind", "convention"),
    [
        *[("torchvision", "torchvision"), ("named torch", "torchvision")],
        *[("weights", "caffe"), ("filters", "caffe"), ("named", "caffe")],
    ],
)
def test_every_kind_of_file(kind, convention, tmp_path):
    found = load_vgg(["relu2_2", "conv3_1"], write(kind, tmp_path))
    assert found.convention == convention and set(found.params) == set(PARAMS)
    for name, layer in PARAMS.items():
        for part, x in layer.items():
            np.testing.assert_array_equal(found.params[name][part], x)


@pytest.mark.shared
def test_a_published_file(shared):
    """Edges of a photo reach every feature of a trained first layer; a deeper layer than there is names the last."""
    path = shared / "weights" / "vgg19_torchvision_conv1_1_to_conv3_1.pth"
    found = load_vgg(["relu3_1"], path)
    assert found.convention == "torchvision" and list(found.params) == list(CONVOLUTIONS[:5])
    x = jnp.asarray(np.random.default_rng(0).random((1, 16, 16, 3)), jnp.float32)
    features = VGG19(("relu3_1",)).apply({"params": found.params}, x)
    assert features["relu3_1"].shape == (1, 4, 4, 256) and 0.1 < features["relu3_1"].std() < 10
    with pytest.raises(UserError, match="ends with conv3_1, but conv5_4 was asked for; choose layers up to there"):
        load_vgg(["relu2_2", "conv5_4"], path)


def test_places_in_their_order(tmp_path, monkeypatch):
    files = {place: tmp_path / f"{place}.npz" for place in ("flag", "variable")}
    for path in files.values():
        path.touch()
    cached = tmp_path / "cache" / "jaxsr" / TORCHVISION
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert find_file() == cached
    monkeypatch.setenv("JAXSR_VGG19", str(files["variable"]))
    assert find_file() == files["variable"]
    assert find_file(files["flag"]) == files["flag"]


def test_a_missing_file_says_where_to_get_it(tmp_path, monkeypatch):
    remedy = f"get {TORCHVISION} from https://.*{TORCHVISION} into .*jaxsr, or name a file by --config.perceptual"
    with pytest.raises(UserError, match=f"no weights of VGG19 in {tmp_path}/cache/jaxsr; {remedy}"):
        load_vgg(["relu1_1"])
    with pytest.raises(UserError, match=f"perceptual.weights=nowhere.pth: no such file; {remedy}"):
        load_vgg(["relu1_1"], "nowhere.pth")
    monkeypatch.setenv("JAXSR_VGG19", "gone.mat")
    with pytest.raises(UserError, match="JAXSR_VGG19=gone.mat: no such file"):
        load_vgg(["relu1_1"])


def test_the_digest_in_a_name_is_checked(tmp_path):
    write_torchvision(tmp_path / "vgg.pth")
    content = (tmp_path / "vgg.pth").read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:8]
    (tmp_path / f"vgg19-{digest}.pth").write_bytes(content)
    assert load_vgg(["relu1_1"], tmp_path / f"vgg19-{digest}.pth").convention == "torchvision"
    (tmp_path / TORCHVISION).write_bytes(content)
    with pytest.raises(UserError, match=f"is damaged: its SHA-256 begins with {digest}, not dcbb9e9d; get it again"):
        load_vgg(["relu1_1"], tmp_path / TORCHVISION)


def test_other_networks_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", **{"body.weight": np.zeros((8, 3, 3, 3))})
    with pytest.raises(UserError, match="other.npz is not VGG19: it has body.weight; get"):
        load_vgg(["relu1_1"], tmp_path / "other.npz")
    np.savez(tmp_path / "vgg16.npz", conv1_1_W=np.zeros((3, 3, 3, 32)), conv1_1_b=np.zeros(32))
    with pytest.raises(
        UserError, match=r"conv1_1 has weights \(3, 3, 3, 32\) and 32 biases, not \(3, 3, 3, 64\) and 64"
    ):
        load_vgg(["relu1_1"], tmp_path / "vgg16.npz")


def test_random_weights_say_so(caplog):
    found = load_vgg(["relu1_2"], "random")
    assert "RANDOM WEIGHTS of VGG19" in caplog.text and set(found.params) == {"conv1_1", "conv1_2"}
    kernel = found.params["conv1_2"]["kernel"]
    assert abs(kernel.std() - (2 / 576) ** 0.5) < 0.002
    np.testing.assert_array_equal(load_vgg(["relu1_2"], "random").params["conv1_2"]["kernel"], kernel)
