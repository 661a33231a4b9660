"""SRNTT's variables by TensorLayer's names and in its lists."""

import jax
import numpy as np
import pytest

from jaxsr.models import count_parameters, initial_shapes
from jaxsr.models.srntt import SPEC, SRNTT
from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.importers import import_tensors
from tests.helpers.networks import random_variables

NET = SRNTT(features=6, blocks=4)


def norm(part, statistics):
    """Return a normalization's vectors in the order of TensorLayer's list."""
    return {
        **{"beta": part["bias"], "gamma": part["scale"]},
        **{"moving_mean": statistics["mean"], "moving_variance": statistics["var"]},
    }


def conv(part):
    return {"W_conv2d": part["kernel"]} | ({"b_conv2d": part["bias"]} if "bias" in part else {})


def part_variables(params, statistics, names, scope):
    """Return the variables of one stage in the order of creation: first layer, blocks, trunk."""
    first, block_conv, block_norm, trunk_conv, trunk_norm = names
    layers = {first: conv(params["conv1"])}
    for i in range(len(params["blocks"]["conv1"]["kernel"])):
        for j in (1, 2):
            block, running = jax.tree.map(lambda x, i=i: x[i], (params["blocks"], statistics["blocks"]))
            layers[block_conv.format(block=i, layer=j)] = conv(block[f"conv{j}"])
            layers[block_norm.format(block=i, layer=j)] = norm(block[f"norm{j}"], running[f"norm{j}"])
    layers[trunk_conv] = conv(params["conv2"])
    layers[trunk_norm] = norm(params["norm2"], statistics["norm2"])
    return {f"{scope}/{name}": layer for name, layer in layers.items()}


def published(variables):
    """Return the variables of the content extractor and of texture transfer, in the order of creation."""
    params, statistics = variables["params"], variables["batch_stats"]
    names = ("n64s1/c", "n64s1/c{layer}/{block}", "n64s1/b{layer}/{block}", "n64s1/c/m", "n64s1/b/m")
    content = part_variables(params["content"], statistics["content"], names, "content_extractor")
    content |= {f"content_extractor/n256s1/{i}": conv(params["enlargement"][f"upsampling{i}"]) for i in (1, 2)}
    content["content_extractor/out"] = conv(params["enlargement"]["conv1"])
    transfer: dict = {}
    for stage in ("small", "medium", "large"):
        part, block = params[stage], f"{stage}/resblock_{{block}}"
        names = (f"{stage}/conv1", f"{block}/conv{{layer}}", f"{block}/bn{{layer}}", f"{stage}/conv2", f"{stage}/bn2")
        transfer |= part_variables(part, statistics[stage], names, "texture_transfer")
        if stage != "large":
            transfer[f"texture_transfer/{stage}/conv3"] = conv(part["upsampling"])
    transfer["texture_transfer/large/conv3"] = conv(params["large"]["conv3"])
    transfer["texture_transfer/out"] = conv(params["large"]["conv4"])
    return tuple(
        {f"{name}/{kind}:0": np.asarray(x) for name, layer in layers.items() for kind, x in layer.items()}
        for layers in (content, transfer)
    )


def assert_imported(tensors, variables):
    model = import_tensors("srntt", tensors)
    assert model.module == NET and model.scale == 4
    jax.tree.map(np.testing.assert_array_equal, model.variables, variables)


def test_names_in_any_order():
    variables = random_variables(NET)
    content, transfer = published(variables)
    others = {f"texture_transfer/{stage}/a:0": np.float32(1) for stage in ("small", "medium", "large")}
    others["discriminator/n32s1/c/W_conv2d:0"] = np.zeros((3, 3, 3, 32), np.float32)
    whole = content | transfer | others
    assert_imported({f"SRNTT/{name}": whole[name] for name in sorted(whole, reverse=True)}, variables)


def test_lists_of_arrays(tmp_path):
    """As TensorLayer saves networks: one pickled array of arrays in the order of creation, in two files."""
    variables = random_variables(NET)
    tensors = {}
    for name, part in zip(("upscale", "srntt"), published(variables), strict=True):
        listed = np.empty(len(part), object)
        listed[:] = list(part.values())
        np.savez(tmp_path / f"{name}.npz", params=listed)
        tensors |= {f"{name}/{key}": x for key, x in read_tensors(tmp_path / f"{name}.npz").items()}
    assert "upscale/params.0" in tensors
    assert_imported(tensors, variables)


@pytest.mark.slow
def test_the_published_size_is_read():
    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), initial_shapes(SPEC.module(4)))
    content, transfer = published(zeros)
    model = import_tensors("srntt", content | transfer)
    assert model.module == SPEC.module(4) and count_parameters(SPEC, 4, **model.options) == 4_383_494


def test_mistakes_are_named():
    content, transfer = published(random_variables(NET))
    for half, missing in ((content, "small"), (transfer, "content")):
        with pytest.raises(UserError, match=f"lack the part '{missing}'; give the files .* together"):
            import_tensors("srntt", half)
    with pytest.raises(UserError, match="no tensor 'content_extractor/n64s1/c/W_conv2d' for srntt"):
        import_tensors("srntt", {"a": np.zeros(3)})
    cut = {name: x for name, x in (content | transfer).items() if "n256s1/1" not in name}
    with pytest.raises(UserError, match="no tensor 'content_extractor/n256s1/1/W_conv2d' for srntt"):
        import_tensors("srntt", cut)
