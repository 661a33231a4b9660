"""RDN's tensors under the names of two ports."""

import jax
import numpy as np
import pytest

from jaxsr.models import initial_shapes
from jaxsr.models.rdn import SPEC
from jaxsr.support.errors import UserError
from jaxsr.weights.importers import import_tensors
from jaxsr.weights.importers.import_rdn import PORTS, Names, convert
from jaxsr.weights.weight_files import check_shapes

FEATURES, GROWTH, BLOCKS, LAYERS = 6, 4, 3, 2


def synthetic(names: Names, scale: int) -> dict[str, np.ndarray]:
    """Return random weights as the port `names` stores them."""
    rng = np.random.default_rng(scale)
    shapes = {names.shallow[0]: (FEATURES, 3, 3, 3), names.shallow[1]: (FEATURES, FEATURES, 3, 3)}
    for i in range(BLOCKS):
        block, joined = names.block.format(i), FEATURES + LAYERS * GROWTH
        for j in range(LAYERS):
            shapes[f"{block}.{names.layer.format(j)}"] = (GROWTH, FEATURES + j * GROWTH, 3, 3)
        shapes[f"{block}.{names.fusion}"] = (FEATURES, joined, 1, 1)
    shapes[names.global_fusion[0]] = (FEATURES, BLOCKS * FEATURES, 1, 1)
    shapes[names.global_fusion[1]] = (FEATURES, FEATURES, 3, 3)
    factors = (2, 2) if scale == 4 else (scale,)
    for i, factor in enumerate(factors):
        shapes[names.enlarge.format(2 * i)] = (factor**2 * FEATURES, FEATURES, 3, 3)
    shapes[names.reconstruction or names.enlarge.format(2 * len(factors))] = (3, FEATURES, 3, 3)
    tensors = {f"{name}.weight": rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return tensors | {f"{n}.bias": rng.normal(size=s[0]).astype(np.float32) for n, s in shapes.items()}


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("port", range(2))
def test_options_scale_and_shapes_are_read(port, scale):
    imported = convert(synthetic(PORTS[port], scale))
    widths = {"channels": 3, "features": FEATURES, "growth": GROWTH}
    assert imported.options == {**widths, "blocks": BLOCKS, "layers": LAYERS}
    assert imported.scale == scale
    module = SPEC.module(scale, **imported.options)
    check_shapes(imported.variables, initial_shapes(module), "the tensors")


def test_both_ports_give_the_same_network():
    first, second = (convert(synthetic(names, 4)).variables for names in PORTS)
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_each_tensor_has_its_place():
    names = PORTS[1]
    tensors = synthetic(names, 2)
    params = convert(tensors).variables["params"]
    for block in range(BLOCKS):
        weight = tensors[f"RDBs.{block}.convs.1.conv.0.weight"]
        assert params["blocks"]["conv2"]["kernel"][block, 0, 2, 9, 3] == weight[3, 9, 0, 2]
        share = params["blocks"]["global_fusion"]["kernel"][block, 0, 0]
        assert share[1, 5] == tensors["GFF.0.weight"][5, block * FEATURES + 1, 0, 0]
    # PyTorch's shuffled channel (c, dy, dx) = (3, 1, 0) is ours (dy, dx, c).
    assert params["enlarge1"]["bias"][2 * FEATURES + 3] == tensors["UPNet.0.bias"][3 * 4 + 2]
    np.testing.assert_array_equal(params["reconstruction"]["bias"], tensors["UPNet.2.bias"])


def test_a_file_without_the_network_is_refused():
    with pytest.raises(KeyError, match="sfe1.weight"):
        convert({"conv1.weight": np.zeros((1, 1, 3, 3))})
    tensors = {n: x for n, x in synthetic(PORTS[0], 2).items() if not n.startswith("rdbs.")}
    with pytest.raises(KeyError, match=r"rdbs.0.lff.weight"):
        convert(tensors)


def test_a_block_after_a_gap_in_the_numbers_is_refused():
    tensors = synthetic(PORTS[0], 2) | {"rdbs.7.lff.weight": np.zeros((FEATURES, FEATURES, 1, 1))}
    with pytest.raises(UserError, match=r"rdn has no layer for rdbs.7.lff.weight in the file"):
        import_tensors("rdn", tensors)
