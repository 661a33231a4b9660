"""The authors' FSRCNN: columns, one slope a layer, replicate padding, and the place of the deconvolution."""

import numpy as np
import pytest

from jaxsr.data.images import read_pixels
from jaxsr.data.listing import list_photos
from jaxsr.evaluation.pairs import make_pair
from jaxsr.evaluation.scores import score
from jaxsr.import_weights import scale_in_name
from jaxsr.models.fsrcnn import FSRCNN
from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.importers import import_tensors
from tests.helpers.dan_cases import compiled
from tests.reference.convolution import correlate, transposed

RNG = np.random.default_rng(5)
SHAPES = ((1, 25, 6), (6, 1, 3), (3, 9, 3), (3, 9, 3), (3, 1, 6), (1, 81, 6))


def matlab(form="{}_conv.{}", first=0):
    """Return random arrays as the authors store them, cells that count from 0 here."""
    tensors = {}
    for i, shape in enumerate(SHAPES):
        last = i == len(SHAPES) - 1
        tensors[form.format("weights", i + first)] = RNG.normal(size=shape) / shape[1]
        tensors[form.format("biases", i + first)] = RNG.normal(size=(1 if last else shape[2], 1))
        if not last:
            tensors[form.format("prelu", i + first)] = RNG.random((1, 1))
    return tensors


def expected(tensors, x, scale):
    """Return what the authors' test code computes: the edge is repeated before every layer."""
    for i, (channels, area, features) in enumerate(SHAPES[:-1]):
        side = round(area**0.5)
        kernel = np.zeros((side, side, channels, features))
        for c, row, column, f in np.ndindex(channels, side, side, features):
            kernel[row, column, c, f] = tensors[f"weights_conv.{i}"][c, row + side * column, f]
        x = np.pad(x, ((0, 0), (side // 2,) * 2, (side // 2,) * 2, (0, 0)), mode="edge")
        x = correlate(x, kernel, (0, 0)) + tensors[f"biases_conv.{i}"][:, 0]
        x = np.where(x > 0, x, tensors[f"prelu_conv.{i}"] * x)
    kernel = tensors["weights_conv.5"][0].reshape(9, 9, 6, order="F")[..., None]
    y = transposed(np.pad(x, ((0, 0), (4, 4), (4, 4), (0, 0)), mode="edge"), kernel, scale, 0)
    begin = 4 * scale + 4 - (scale - 1) // 2
    height, width = (scale * side for side in x.shape[1:3])
    return y[:, begin : begin + height, begin : begin + width] + tensors["biases_conv.5"]


@pytest.mark.parametrize("scale", [pytest.param(2, marks=pytest.mark.slow), 3, pytest.param(4, marks=pytest.mark.slow)])
def test_the_authors_network(scale):
    tensors, x = matlab(), RNG.random((1, 5, 4, 1))
    model = import_tensors("fsrcnn", tensors, scale=scale)
    assert model.module == FSRCNN(
        scale, feature_channels=6, shrink_channels=3, mapping_layers=2, channels=1, padding="replicate"
    )
    y = expected(tensors, x, scale)
    assert y.shape == (1, 5 * scale, 4 * scale, 1)
    np.testing.assert_allclose(compiled(model.module.apply)(model.variables, np.float32(x)), y, rtol=1e-4, atol=1e-5)


def test_variables_that_count_from_one():
    tensors = matlab("{}_conv{}", 1)
    model = import_tensors("fsrcnn", tensors, scale=2)
    assert model.module.mapping_layers == 2
    np.testing.assert_array_equal(
        model.params["mapping2_prelu"]["slope"], np.float32(tensors["prelu_conv4"][0].repeat(3))
    )
    del tensors["prelu_conv2"]
    with pytest.raises(UserError, match="no tensor 'prelu_conv2' for fsrcnn"):
        import_tensors("fsrcnn", tensors, scale=2)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        *[
            ("fsrcnn_x3_matlab.mat", 3),
            ("x2.mat", 2),
            ("FSRCNN-X4.pth", 4),
            ("fsrcnn_scale3.npz", 3),
            ("net_4x.pth", 4),
        ],
        *[("fsrcnn.mat", None), ("x10.mat", None), ("x2_or_x3.mat", None), ("max3.mat", None), ("x5.mat", None)],
    ],
)
def test_scales_in_names(name, scale):
    assert scale_in_name(name) == scale


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "psnr"), [("fsrcnn_x2_matlab", 36.99), ("fsrcnn_x3_matlab", 33.16), ("fsrcnn_s_x3_matlab", 32.60)]
)
def test_the_authors_weights_score_as_published(file, psnr, shared):
    path = shared / "weights" / f"{file}.mat"
    scale = scale_in_name(path.name)
    assert scale
    model = import_tensors("fsrcnn", read_tensors(path), scale=scale)
    photos = list_photos([shared / "data" / "test" / "Set5" / "hr"])
    scores = score(model, [make_pair(photo.stem, read_pixels(photo), scale) for photo in photos])["y8"]
    assert scores.mean["psnr"] == pytest.approx(psnr, abs=0.01)
