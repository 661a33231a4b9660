"""Weight files that several tests open by name."""

import pytest

from jaxsr.weights import save
from tests.helpers.networks import REDUCED, network
from tests.helpers.tiles import SRNTT_MODEL


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Return the folder of small weight files."""
    folder = tmp_path_factory.mktemp("weights")
    save(folder / "danv1.safetensors", network("danv1", 2, **REDUCED["danv1"]))
    save(folder / "srntt.safetensors", SRNTT_MODEL)
    return folder
