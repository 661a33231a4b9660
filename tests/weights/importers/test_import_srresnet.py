"""SRResNet's tensor names, from synthetic tensors and from a published file."""

import jax
import numpy as np
import pytest

from jaxsr.data.images import read_pixels
from jaxsr.evaluation.pairs import make_pair
from jaxsr.evaluation.scores import score
from jaxsr.models import Model, initial_shapes
from jaxsr.models.srresnet import SPEC
from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.importers import import_tensors
from jaxsr.weights.importers.import_srresnet import convert
from jaxsr.weights.weight_files import check_shapes

RNG = np.random.default_rng(1)


def synthetic(blocks=2, features=4, scale=4, slopes=1, *, norm=True, trunk_prelu=False, channels=3):
    """Return tensors by the published names, random."""
    shapes = {"block1.0": (features, channels, 9, 9), "block1.1": (slopes,)}
    norms = []
    for i in range(2, blocks + 2):
        shapes |= {f"block{i}.conv{j}": (features, features, 3, 3) for j in (1, 2)} | {f"block{i}.prelu": (slopes,)}
        norms += [f"block{i}.bn{j}" for j in (1, 2)]
    shapes[f"block{blocks + 2}.0"] = (features, features, 3, 3)
    if trunk_prelu:
        shapes[f"block{blocks + 2}.1"] = (slopes,)
    else:
        norms.append(f"block{blocks + 2}.1")
    head, doublings = f"block{blocks + 3}", {2: 1, 4: 2}[scale]
    for i in range(doublings):
        shapes |= {f"{head}.{i}.conv": (4 * features, features, 3, 3), f"{head}.{i}.prelu": (slopes,)}
    shapes[f"{head}.{doublings}"] = (channels, features, 9, 9)
    tensors = {f"{name}.weight": RNG.random(shape) for name, shape in shapes.items()}
    tensors |= {f"{name}.bias": RNG.random(shape[0]) for name, shape in shapes.items() if len(shape) == 4}
    for name in norms if norm else []:
        tensors |= {f"{name}.{part}": RNG.random(features) for part in ("weight", "bias", "running_mean")}
        tensors |= {f"{name}.running_var": RNG.random(features), f"{name}.num_batches_tracked": np.int64(7)}
    return tensors


def load(tensors) -> Model:
    imported = convert(tensors)
    module = SPEC.module(imported.scale or 0, **imported.options)
    variables = jax.tree.map(lambda x: np.asarray(x, np.float32), imported.variables)
    check_shapes(variables, initial_shapes(module), "the tensors of this srresnet")
    return Model(SPEC, module, imported.scale or 0, variables)


@pytest.mark.parametrize(
    ("made", "read"),
    [
        ({"blocks": 3}, {"blocks": 3}),
        ({"scale": 2, "slopes": 4, "channels": 1}, {"slopes": "channel", "channels": 1}),
        ({"trunk_prelu": True}, {"trunk_prelu": True}),
        ({"norm": False}, {"normalization": "none"}),
    ],
)
def test_options_are_read_off_names_and_shapes(made, read):
    model = load(synthetic(**made))
    expected = {"features": 4, "blocks": 2, "output": "tanh"} | read
    assert model.scale == made.get("scale", 4)
    assert model.module == SPEC.module(model.scale, **expected)


def test_convolutions_without_bias():
    tensors = synthetic()
    convolutions = {name.removesuffix("weight") for name, x in tensors.items() if x.ndim == 4}
    tensors = {name: x for name, x in tensors.items() if name.removesuffix("bias") not in convolutions}
    assert not load(tensors).module.use_bias


def test_where_tensors_go():
    tensors = synthetic(blocks=3)
    model = load(tensors)
    params, statistics = model.variables["params"], model.variables["batch_stats"]
    for i in range(3):
        weight = np.float32(tensors[f"block{i + 2}.conv2.weight"])
        np.testing.assert_array_equal(params["blocks"]["conv2"]["kernel"][i], weight.transpose(2, 3, 1, 0))
        for ours, theirs in (("mean", "running_mean"), ("var", "running_var")):
            tensor = np.float32(tensors[f"block{i + 2}.bn1.{theirs}"])
            np.testing.assert_array_equal(statistics["blocks"]["norm1"][ours][i], tensor)
        assert params["blocks"]["prelu"]["slope"][i] == np.float32(tensors[f"block{i + 2}.prelu.weight"])
    for ours, theirs in (("scale", "weight"), ("bias", "bias")):
        np.testing.assert_array_equal(params["norm2"][ours], np.float32(tensors[f"block5.1.{theirs}"]))
    for c, dy, dx in np.ndindex(4, 2, 2):
        ours, theirs = (dy * 2 + dx) * 4 + c, c * 4 + dy * 2 + dx
        kernel, weight = params["upsampling2"]["kernel"], np.float32(tensors["block6.1.conv.weight"])
        np.testing.assert_array_equal(kernel[..., ours], weight[theirs].transpose(1, 2, 0))
        assert params["upsampling2"]["bias"][ours] == np.float32(tensors["block6.1.conv.bias"][theirs])


@pytest.mark.parametrize("missing", ["block1.0.weight", "block3.conv2.weight", "block2.bn1.running_var"])
def test_missing_tensors_are_named(missing):
    tensors = synthetic()
    del tensors[missing]
    with pytest.raises(KeyError, match=missing):
        convert(tensors)


def test_other_networks_are_refused():
    with pytest.raises(KeyError, match=r"block2\.conv1\.weight"):
        convert({"conv1.weight": np.zeros((64, 3, 9, 9))})
    with pytest.raises(UserError, match="srresnet has no layer for block2.bn3.weight in the file"):
        import_tensors("srresnet", synthetic() | {"block2.bn3.weight": np.zeros(4)})


@pytest.mark.shared
@pytest.mark.slow
def test_published_file_scores_as_published(shared):
    """Set5 x4: 30.66 dB on Y of the 8-bit RGB result, with another implementation of the same weights."""
    path = shared / "weights" / "srgan_leftthomas_x4.pth"
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    model = load(read_tensors(path))
    assert model.module == SPEC.module(4, **SPEC.variants["5-prelu"])
    photos = sorted((shared / "data" / "test" / "Set5" / "hr").glob("*.png"))
    scores = score(model, [make_pair(photo.stem, read_pixels(photo), 4) for photo in photos])["y8"]
    assert abs(scores.mean["psnr"] - 30.66) < 0.03
    assert abs(scores.baseline["psnr"] - 28.42) < 0.01
