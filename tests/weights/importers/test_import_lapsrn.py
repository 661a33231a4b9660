"""LapSRN's and MS-LapSRN's files: the order of levels, MATLAB's layouts, what is read off, what is refused."""

import numpy as np
import pytest

from jaxsr.data.images import read_pixels
from jaxsr.data.listing import list_photos
from jaxsr.evaluation.pairs import make_pair
from jaxsr.evaluation.scores import score
from jaxsr.models import Model, initial_shapes, lapsrn, mslapsrn
from jaxsr.support.errors import UserError
from jaxsr.support.trees import by_path
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.importers import import_lapsrn as lapsrn_importer
from jaxsr.weights.importers import import_mslapsrn as mslapsrn_importer
from jaxsr.weights.importers import import_tensors
from jaxsr.weights.weight_files import check_shapes

RNG = np.random.default_rng(6)
FEATURES = 6


def layer(name, *shape, bias=True):
    """Return a MatConvNet layer; MATLAB drops trailing dimensions of 1 and writes biases as rows."""
    while shape[-1] == 1:
        shape = shape[:-1]
    tensors = {f"net.params.{name}_f": RNG.random(shape, np.float32)}
    outputs = shape[3] if len(shape) == 4 else 1
    return tensors | ({f"net.params.{name}_b": RNG.random((1, outputs), np.float32)} if bias else {})


def pyramid_tensors(prefixes, depth):
    """Return the parameters of levels with these prefixes."""
    tensors = layer("input_conv", 3, 3, 1, FEATURES)
    for prefix in prefixes:
        for i in range(1, depth + 1):
            tensors |= layer(f"{prefix}conv{i}", 3, 3, FEATURES, FEATURES)
        tensors |= layer(f"{prefix}upconv", 3, 3, FEATURES, FEATURES)
        tensors |= layer(f"{prefix}residual_conv", 3, 3, FEATURES, 1)
        tensors |= layer(f"{prefix}img_up", 4, 4, 1, 1, bias=False)
    return tensors


def graph(convolutions, levels):
    """Return what MatConvNet's list of layers holds of the inner layers, with the first and the last ones."""
    sizes = [("stride", (3, 3, 1, FEATURES))]
    sizes += [("stride", (3, 3, FEATURES, FEATURES))] * convolutions
    sizes += [
        ("upsample", (3, 3, FEATURES, FEATURES)),
        ("stride", (3, 3, FEATURES, 1)),
        ("upsample", (4, 4, 1, 1)),
    ] * levels
    tensors = {f"net.layers.{i}.block.size": np.uint8([size]) for i, (_, size) in enumerate(sizes)}
    return tensors | {f"net.layers.{i}.block.{kind}": np.uint8([[2, 2]]) for i, (kind, _) in enumerate(sizes)}


def model_of(spec, imported, scale, **options):
    """Return the model of what an importer read, after checking every name and shape."""
    module = spec.module(scale, **{**imported.options, **options})
    check_shapes(imported.variables, initial_shapes(module), "the tensors")
    return Model(spec, module, scale, imported.variables)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_lapsrn_counts_its_levels_from_the_finest(scale):
    count = {2: 1, 4: 2, 8: 3}[scale]
    tensors = pyramid_tensors([f"level{i}_" for i in range(count, 0, -1)], depth=3)
    imported = lapsrn_importer.convert(tensors)
    assert imported.scale == scale
    expected = {"channels": 1, "features": FEATURES, "depth": 3, "upsampling": "3x3", "use_bias": True}
    assert imported.options == expected
    params = model_of(lapsrn.SPEC, imported, scale).params
    coarsest, name = params["level1"], f"net.params.level{count}"
    np.testing.assert_array_equal(coarsest["convs"]["conv"]["kernel"][1], tensors[f"{name}_conv2_f"])
    np.testing.assert_array_equal(coarsest["convs"]["conv"]["bias"][2], tensors[f"{name}_conv3_b"][0])
    np.testing.assert_array_equal(coarsest["residual_conv"]["kernel"][..., 0], tensors[f"{name}_residual_conv_f"])
    for i, j in np.ndindex(FEATURES, FEATURES):
        assert coarsest["upconv"]["kernel"][0, 2, i, j] == tensors[f"{name}_upconv_f"][0, 2, j, i]
    finest = params[f"level{count}"]["image_upsampling"]["kernel"]
    np.testing.assert_array_equal(finest[..., 0, 0], tensors["net.params.level1_img_up_f"])


def test_lapsrn_for_x4_is_imported_for_x3_too():
    tensors = pyramid_tensors(["level2_", "level1_"], depth=3)
    assert import_tensors("lapsrn", tensors, scale=3).name == "lapsrn-x3"
    with pytest.raises(UserError, match="scale=2 was asked for, but the shapes of this lapsrn say 4"):
        import_tensors("lapsrn", tensors, scale=2)


def test_lapsrn_of_pytorch_counts_its_levels_from_the_coarsest():
    def weight(*shape):
        return RNG.random(shape, np.float32)

    tensors = {"conv_input.weight": weight(FEATURES, 1, 3, 3)}
    for level in (1, 2):
        tensors |= {f"convt_I{level}.weight": weight(1, 1, 4, 4), f"convt_R{level}.weight": weight(1, FEATURES, 3, 3)}
        block = f"convt_F{level}.0.cov_block"
        tensors |= {f"{block}.{i}.weight": weight(FEATURES, FEATURES, 3, 3) for i in (0, 2)}
        tensors |= {f"{block}.4.weight": weight(FEATURES, FEATURES, 4, 4)}
    imported = lapsrn_importer.convert(tensors)
    expected = {"channels": 1, "features": FEATURES, "depth": 2, "upsampling": "4x4", "use_bias": False}
    assert imported.options == expected and imported.scale == 4
    level = model_of(lapsrn.SPEC, imported, 4).params["level2"]
    kernel, transposed = level["convs"]["conv"]["kernel"], level["upconv"]["kernel"]
    assert kernel[1, 0, 2, 3, 4] == tensors["convt_F2.0.cov_block.2.weight"][4, 3, 0, 2]
    assert transposed[0, 3, 3, 4] == tensors["convt_F2.0.cov_block.4.weight"][3, 4, 0, 3]


@pytest.mark.parametrize("prefix", ["", "shared_", "level1_"])
def test_mslapsrn_reads_depth_and_recursions_and_fits_every_scale(prefix):
    """The list of layers names D R convolutions and one transposed one at each level, of one scale or of several."""
    tensors = pyramid_tensors([prefix], depth=3)
    for levels in (1, 3, 1 + 2 + 3):
        imported = mslapsrn_importer.convert(tensors | graph(3 * 4 * levels, levels))
        assert imported.options["depth"] == 3 and imported.options["recursions"] == 4
        assert imported.options["skip"] == "SS" and imported.scale is None
    for scale in (2, 3, 4, 8):
        params = model_of(mslapsrn.SPEC, imported, scale).params
    block = params["level"]["block"]["convs"]["conv"]
    np.testing.assert_array_equal(block["kernel"][2], tensors[f"net.params.{prefix}conv3_f"])
    upconv = tensors[f"net.params.{prefix}upconv_f"].swapaxes(2, 3)
    np.testing.assert_array_equal(params["level"]["upconv"]["kernel"], upconv)


def test_mslapsrn_asks_for_recursions_that_the_file_does_not_tell():
    tensors = pyramid_tensors([""], depth=2)
    with pytest.raises(UserError, match="does not tell its recursions; say it: --model=mslapsrn,recursions=8"):
        import_tensors("mslapsrn", tensors, scale=2)
    module = import_tensors("mslapsrn", tensors, scale=2, recursions=5, skip="DS").module
    assert (module.recursions, module.skip) == (5, "DS")


def test_mslapsrn_takes_levels_that_are_equal_and_refuses_others():
    tensors = pyramid_tensors(["level2_", "level1_"], depth=1)
    with pytest.raises(UserError, match="the levels do not share conv1_f: .*level1_conv1_f differs .*lapsrn"):
        mslapsrn_importer.convert(tensors)
    equal = {name.replace("level1", "level2"): x for name, x in tensors.items()}
    equal |= {name.replace("level2", "level1"): x for name, x in equal.items()}
    assert len(equal) == len(tensors) and mslapsrn_importer.convert(equal).options["depth"] == 1


@pytest.mark.slow
@pytest.mark.shared
def test_published_file_scores_as_published(shared):
    """31.54 dB on Set5 x4, as the TPAMI paper prints: on Y of 8-bit RGB."""
    imported = lapsrn_importer.convert(read_tensors(shared / "weights" / "lapsrn_matconvnet_x4.mat"))
    model = model_of(lapsrn.SPEC, imported, 4)
    assert sum(x.size for x in by_path(model.variables).values()) == 814_242
    assert (model.module.depth, model.module.upsampling) == (10, "3x3")
    photos = list_photos([shared / "data" / "test" / "Set5" / "hr"])
    scores = score(model, [make_pair(path.stem, read_pixels(path), 4) for path in photos], protocols=("y8", "y"))
    assert scores["y"].mean["psnr"] == pytest.approx(31.54, abs=0.005)
    assert scores["y8"].mean["psnr"] == pytest.approx(31.52, abs=0.005)
