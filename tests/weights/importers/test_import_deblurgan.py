"""DeblurGAN's tensor names, from synthetic tensors."""

import numpy as np
import pytest

from jaxsr.models.deblurgan import DeblurGAN
from jaxsr.support.errors import UserError
from jaxsr.weights.importers import import_tensors
from jaxsr.weights.importers.import_deblurgan import convert_critic

RNG = np.random.default_rng(2)


def synthetic(blocks=2, features=2, second=6):
    """Return tensors by the published names, random; a block's second convolution has the number `second`."""
    f, after = features, 10 + blocks
    shapes = {"model.1": (f, 3, 7, 7), "model.4": (2 * f, f, 3, 3), "model.7": (4 * f, 2 * f, 3, 3)}
    for i in range(blocks):
        shapes |= {f"model.{10 + i}.conv_block.{n}": (4 * f, 4 * f, 3, 3) for n in (1, second)}
    shapes |= {f"model.{after}": (4 * f, 2 * f, 3, 3), f"model.{after + 3}": (2 * f, f, 3, 3)}
    shapes[f"model.{after + 7}"] = (3, f, 7, 7)
    tensors = {f"{name}.weight": RNG.random(shape) for name, shape in shapes.items()}
    transposed = {f"model.{after}", f"model.{after + 3}"}
    outputs = {name: shape[1] if name in transposed else shape[0] for name, shape in shapes.items()}
    return tensors | {f"{name}.bias": RNG.random(count) for name, count in outputs.items()}


@pytest.mark.parametrize("second", [5, 6])
def test_where_tensors_go(second):
    """Without dropout, the layer before the second convolution, its number is 5."""
    tensors = synthetic(blocks=3, second=second)
    model = import_tensors("deblurgan", tensors)
    assert model.module == DeblurGAN(features=2, blocks=3) and model.scale == 1
    for ours, theirs in (("down2", "model.7"), ("conv2", "model.20")):
        weight = np.float32(tensors[f"{theirs}.weight"])
        np.testing.assert_array_equal(model.params[ours]["kernel"], weight.transpose(2, 3, 1, 0))
    up = np.float32(tensors["model.16.weight"])
    np.testing.assert_array_equal(model.params["up2"]["kernel"], up.transpose(2, 3, 0, 1))
    for i in range(3):
        weight = np.float32(tensors[f"model.{10 + i}.conv_block.{second}.weight"])
        np.testing.assert_array_equal(model.params["blocks"]["conv2"]["kernel"][i], weight.transpose(2, 3, 1, 0))


def test_the_critics_layers_keep_their_order():
    tensors = {f"model.{n}.weight": np.full((1, 1, 4, 4), n) for n in (11, 2, 0, 8, 5)}
    params = convert_critic(tensors)
    assert [params[f"conv{i}"]["kernel"][0, 0, 0, 0] for i in range(1, 6)] == [0, 2, 5, 8, 11]


def test_mistakes_are_named():
    one = {name: x for name, x in synthetic().items() if ".conv_block.6" not in name}
    with pytest.raises(UserError, match="conv_block has one convolution; the published network has two"):
        import_tensors("deblurgan", one)
    with pytest.raises(UserError, match="no tensor 'model.10.conv_block.1.weight' for deblurgan"):
        import_tensors("deblurgan", synthetic(blocks=0))
    with pytest.raises(UserError, match=r"deblurgan has no layer for model.40.weight in the file"):
        import_tensors("deblurgan", {**synthetic(), "model.40.weight": np.zeros((2, 2, 3, 3))})
