"""Options of restoring: what is refused when they are made, and what against a model."""

import numpy as np
import pytest
from PIL import Image

from jaxsr.restoration.options import DEFAULT_OPTIONS, RestoreOptions
from jaxsr.support.errors import UserError
from tests.helpers.networks import REDUCED, network
from tests.helpers.tiles import SRNTT_MODEL

PHOTO = np.zeros((4, 5, 3))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tile": 0}, "tile=0 is not a number of pixels; use 128, 'auto' or None"),
        ({"tile": True}, "tile=True is not a number"),
        ({"tile": "big"}, "tile='big' is not a number"),
        ({"quantize": None}, "quantize=None is neither True nor False; the default is True"),
        ({"copies": "yes"}, "copies='yes' is neither True nor False; the default is False"),
        ({"precision": "half"}, "unknown precision 'half'; "),
        ({"reference": None}, "reference=None is neither a photo nor a list of photos; leave it out for none"),
        ({"reference": 5}, "reference=5 is neither a photo nor a list"),
        ({"vgg": 19}, "vgg=19 is not a file of VGG19's weights; give its path"),
    ],
)
def test_values_of_the_wrong_kind(fields, message):
    with pytest.raises(UserError, match=message):
        RestoreOptions(**fields)


def test_fields_that_were_changed():
    assert DEFAULT_OPTIONS.changed() == RestoreOptions(reference=[], tile="auto").changed() == []
    assert RestoreOptions(tile=None, reference=PHOTO, vgg="file").changed() == ["tile", "reference", "vgg"]
    assert RestoreOptions(reference=[PHOTO], quantize=False).changed() == ["quantize", "reference"]


@pytest.mark.parametrize("reference", [PHOTO, Image.new("L", (3, 4)), "near.png"])
def test_a_single_reference_is_a_list_of_one(reference):
    assert RestoreOptions(reference=reference).references == [reference]
    for several in ([reference, reference], iter([reference, reference])):
        assert list(RestoreOptions(reference=several).references) == [reference, reference]  # pyright: ignore


def test_options_that_do_not_fit_the_model():
    dan, espcn = network("danv1", 2, **REDUCED["danv1"]), network("espcn", 2, **REDUCED["espcn"])
    RestoreOptions(all_rounds=True, ensemble=True, tile=None).check(dan)
    RestoreOptions(reference=[PHOTO], copies=True, save_matches=True, tile=64).check(SRNTT_MODEL)
    RestoreOptions(reference=[]).check(espcn)
    with pytest.raises(UserError, match="espcn-x2 takes no all_rounds; leave it out, or use danv1 or danv2"):
        RestoreOptions(all_rounds=True).check(espcn)
    with pytest.raises(UserError, match="danv1-x2 takes no copies; leave it out, or use srntt"):
        RestoreOptions(copies=True).check(dan)
    with pytest.raises(UserError, match="tile=5 is too small for a network that sees 4 pixels far; use at least 12"):
        RestoreOptions(tile=5).check(espcn)
    deblurgan = network("deblurgan", 1, features=4, blocks=1)
    RestoreOptions(tile=72).check(deblurgan)
    with pytest.raises(UserError, match="tile=48 is too small for a network that sees 24 pixels far; use at least 72"):
        RestoreOptions(tile=48).check(deblurgan)
    with pytest.raises(UserError, match="tile=64: danv1-x2 sees the whole photo at every pixel; leave the tile out"):
        RestoreOptions(tile=64).check(dan)
    with pytest.raises(UserError, match="srntt-x4 matches an upright photo with references; leave the ensemble out"):
        RestoreOptions(ensemble=True).check(SRNTT_MODEL)
