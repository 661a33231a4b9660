"""The devices that share the rows of one window give what one device gives."""

import jax
import numpy as np
import pytest

from jaxsr.devices import meshes
from jaxsr.restoration.tiles import program
from tests.helpers.devices import only
from tests.helpers.networks import network
from tests.helpers.photos import photo
from tests.helpers.tiles import enlarge, enlarge_with_extras

WHOLE = [  # networks that see the whole photo
    ("danv1", 2, {"features": 8, "blocks": 2, "estimator_features": 4, "estimator_blocks": 1, "rounds": 2}),
    ("danv2", 4, {"features": 8, "groups": 1, "blocks": 2, "estimator_features": 4, "estimator_blocks": 1}),
    ("deblurgan", 1, {"features": 8, "blocks": 2}),
]


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    """Let small photos be shared."""
    monkeypatch.setattr(meshes, "MIN_ROWS", 16)


@pytest.mark.parametrize(
    ("name", "scale", "options", "ensemble"),
    [
        *(pytest.param(*each, False, marks=pytest.mark.slow) for each in WHOLE),
        pytest.param(*WHOLE[2], True, marks=pytest.mark.slow),
    ],
)
def test_shared_rows_change_nothing(name, scale, options, ensemble):
    model, pixels, found = network(name, scale, **options), photo(64, 44), []
    for count in (4, 1):
        with only(count):
            found.append(enlarge_with_extras(model, pixels, tile=None, quantize=False, ensemble=ensemble))
    four, one = found
    assert four[0].std() > 0.01
    np.testing.assert_allclose(four[0], one[0], atol=2e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), four[1], one[1])


@pytest.mark.parametrize(("height", "count"), [(64, 4), (63, 3), (48, 3), (34, 2), (31, 1), (61, 1), (0, 1)])
def test_rows_are_shared_evenly_and_not_too_few(height, count):
    mesh = meshes.tile_mesh(1, height)
    assert mesh.axis_names == ("rows",) and mesh.size == count
    assert meshes.tile_mesh(2, height).shape == {"tiles": 2}


def test_all_devices_work_on_one_photo(monkeypatch):
    """The compiled program is of four partitions, which tell their neighbours of their edges; not where tiles serve."""
    compiled = []
    original = program.run_tiles

    def compiling(*arguments):
        compiled.append(original.lower(*arguments).compile().as_text())
        return original(*arguments)

    monkeypatch.setattr("jaxsr.restoration.tiles.tiled_run.run_tiles", compiling)
    enlarge(network("deblurgan", 1, features=4, blocks=1), photo(64, 44))
    enlarge(network("espcn", 2), photo(64, 44), tile=None)
    for sign in ("num_partitions=4", "collective-permute"):
        assert sign in compiled[0] and sign not in compiled[1]
