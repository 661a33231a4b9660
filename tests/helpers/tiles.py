"""Photos through the tiles of a network, with the fields of RestoreOptions as keywords; a small model of SRNTT."""

from jaxsr.models import Model
from jaxsr.models.srntt import SPEC, SRNTT
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.tiles.tiled_photos import restore_tiled
from tests.helpers.networks import quiet_variables

SRNTT_NETWORK = SRNTT(features=4, blocks=1)
SRNTT_MODEL = Model(SPEC, SRNTT_NETWORK, 4, quiet_variables(SRNTT_NETWORK))


def enlarge_with_extras(model, pixels, *, cache=None, progress=None, extra_inputs=None, **fields):
    """Return `pixels` restored by `model`, and the extras."""
    options = RestoreOptions(**fields)
    return restore_tiled(model, pixels, options, cache=cache, progress=progress, extra_inputs=extra_inputs)


def enlarge(model, pixels, **options):
    """Return `pixels` restored by `model`."""
    return enlarge_with_extras(model, pixels, **options)[0]
