"""Layouts against obvious loops, and what importers ask for and refuse."""

import numpy as np
import pytest

from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.importers import import_tensors
from jaxsr.weights.importers.layouts import torch_convolution, torch_deconvolution, torch_pixel_shuffle
from tests.helpers.published import espcn_tensors
from tests.helpers.torch_writer import tensor, write_zip

RNG = np.random.default_rng(0)


def test_layouts():
    weight = RNG.random((4, 3, 5, 7))
    kernel = torch_convolution({"c.weight": weight}, "c")["kernel"]
    transposed = torch_deconvolution({"c.weight": weight}, "c")["kernel"]
    for i, j, y, x in np.ndindex(weight.shape):
        assert kernel[y, x, j, i] == weight[i, j, y, x] == transposed[y, x, i, j]


def test_pixel_shuffle_order():
    """PyTorch's output channel c r² + dy r + dx is ours (dy r + dx) C + c."""
    bias = np.arange(12)
    reordered = torch_pixel_shuffle({"bias": bias}, 2)["bias"]
    for c, dy, dx in np.ndindex(3, 2, 2):
        assert reordered[(dy * 2 + dx) * 3 + c] == bias[c * 4 + dy * 2 + dx]


def test_the_authors_srcnn_columns_are_read_down():
    tensors = {"weights_conv1": RNG.random((81, 64)), "weights_conv2": RNG.random((64, 25, 32))}
    tensors |= {"weights_conv3": RNG.random((32, 25))}
    tensors |= {f"biases_conv{i}": RNG.random((n, 1)) for i, n in ((1, 64), (2, 32), (3, 1))}
    model = import_tensors("srcnn", tensors, scale=2)
    assert model.module.kernel_sizes == (9, 5, 5) and model.module.padding == "replicate"
    first, second, third = (model.params[f"conv{i}"]["kernel"] for i in (1, 2, 3))
    assert first[2, 7, 0, 11] == np.float32(tensors["weights_conv1"][2 + 9 * 7, 11])
    assert second[3, 1, 20, 30] == np.float32(tensors["weights_conv2"][20, 3 + 5 * 1, 30])
    assert third[0, 4, 31, 0] == np.float32(tensors["weights_conv3"][31, 0 + 5 * 4])


def test_scales_are_told_or_asked_for():
    assert import_tensors("espcn", espcn_tensors(4)).scale == 4
    with pytest.raises(UserError, match="scale=2 was asked for, but the shapes of this espcn say 3"):
        import_tensors("espcn", espcn_tensors(3), scale=2)
    srcnn = {f"conv{i}.weight": RNG.random(s) for i, s in ((1, (64, 1, 9, 9)), (2, (32, 64, 1, 1)), (3, (1, 32, 5, 5)))}
    srcnn |= {f"conv{i}.bias": RNG.random(n) for i, n in ((1, 64), (2, 32), (3, 1))}
    with pytest.raises(UserError, match="shapes of srcnn do not tell its scale; say it: --model=srcnn,scale=3"):
        import_tensors("srcnn", srcnn)
    with pytest.raises(UserError, match=r"srcnn has no layer for conv4.weight in the file; is it another model"):
        import_tensors("srcnn", {**srcnn, "conv4.weight": srcnn["conv3.weight"]}, scale=2)


def test_other_networks_are_refused():
    with pytest.raises(UserError, match="no tensor 'conv1.weight' for srcnn; the file has: first_part.0.weight"):
        import_tensors("srcnn", espcn_tensors())
    tensors = espcn_tensors()
    tensors["first_part.2.bias"] = tensors["first_part.2.bias"][:-1]
    with pytest.raises(
        UserError, match=r"do not fit the network: params/conv2/bias is \(31,\), the network has \(32,\)"
    ):
        import_tensors("espcn", tensors)
    with pytest.raises(UserError, match="no option 'chanels'; did you mean 'channels'"):
        import_tensors("espcn", espcn_tensors(), chanels=1)
    with pytest.raises(
        UserError,
        match="no importer for 'bicubic'; choose one of: srcnn, .*, drcn, .*, danv1, danv2",
    ):
        import_tensors("bicubic", {})


def test_layers_without_a_place_are_refused():
    """A file of a larger network would otherwise give the smaller one, with other numbers and not a word."""
    tensors = {**espcn_tensors(), "step": np.zeros(()), "mean": np.zeros(3)}  # a trainer's notes
    assert import_tensors("espcn", tensors).scale == 3
    for more, x in (("last_part.2.weight", np.zeros((1, 1, 3, 3))), ("norm.weight", np.zeros(4))):
        with pytest.raises(UserError, match=f"espcn has no layer for {more} in the file; is it another model"):
            import_tensors("espcn", {**tensors, more: x})


@pytest.mark.parametrize("prefix", ["module.", "state_dict.module.", "params_ema.", "model/", "model_state_dict.net."])
def test_wrappers_are_taken_off(prefix):
    tensors = {f"{prefix}{name}": x for name, x in espcn_tensors(2).items()}
    others = {"optimizer.state.0.exp_avg": np.zeros(3), "params.conv9.weight": np.zeros((1, 1, 3, 3))}
    assert import_tensors("espcn", tensors | others).scale == 2
    assert import_tensors("espcn", {f"scope/{name}": x for name, x in tensors.items()}).scale == 2


def test_a_networks_own_name_is_no_wrapper(tmp_path):
    """DeblurGAN's sequence is called "model", as some trainers' wrapper is."""
    names = {"model.1.weight": np.zeros((2, 3, 7, 7), np.float32), "model.4.bias": np.zeros(2, np.float32)}
    write_zip(tmp_path / "w.pth", {name: tensor(x) for name, x in names.items()})
    assert set(read_tensors(tmp_path / "w.pth")) == set(names)
