"""Systems by name, with the options that go with it: networks with weights, and ZSSR."""

import pytest

from jaxsr.api.restorers import NetworkRestorer, ZSSRRestorer, open_restorer
from jaxsr.data.images import Photo, write_photo
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.reference.reference_features import ReferenceFeatures
from jaxsr.support.errors import UserError
from tests.helpers.photos import photo


def test_a_network_is_opened_with_its_options(weights):
    restorer = open_restorer(f"{weights}/danv1.safetensors,rounds=2", options=RestoreOptions(ensemble=True))
    assert isinstance(restorer, NetworkRestorer) and (restorer.name, restorer.unit) == ("danv1-x2", "tile")
    assert restorer.model.module.rounds == 2 and restorer.options.all_rounds and restorer.options.ensemble


def test_zssr_is_opened_with_its_settings():
    restorer = open_restorer("zssr,steps=300,kernel=estimate,real=True", scale=4, options=RestoreOptions(ensemble=True))
    assert isinstance(restorer, ZSSRRestorer) and (restorer.name, restorer.unit) == ("zssr-x4", "step")
    assert (restorer.settings.steps, restorer.settings.kernel, restorer.settings.real) == (300, "estimate", True)
    assert restorer.options.ensemble
    for scale in (0, 2.0):
        with pytest.raises(UserError, match=f"zssr has no scale {scale}; choose one of: 2, 3, 4"):
            open_restorer("zssr", scale=scale)  # pyright: ignore[reportArgumentType]


def test_references_are_prepared_once(weights):
    text = f"{weights}/srntt.safetensors,vgg=random"
    restorer = open_restorer(text, options=RestoreOptions(reference=photo(16, 20)))
    assert isinstance(restorer, NetworkRestorer) and isinstance(restorer.options.reference, ReferenceFeatures)
    assert restorer.options.reference.sizes == [(4, 5)]


def test_files_are_batched_for_the_devices(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(6)]
    for path in paths:
        write_photo(path, Photo(photo(20, 22)))
    assert [len(batch) for batch in open_restorer("fsrcnn").batches(paths)] == [4, 2]
    assert [len(batch) for batch in open_restorer("zssr").batches(paths)] == [4, 2]
