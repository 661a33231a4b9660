"""Task "reference": super-resolution with the textures of a similar photo, the reference (SRNTT)."""

import dataclasses

from jaxsr.degradations.photo_batches import degrade_batch
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.sources import reference_sources
from jaxsr.imaging.pixels import to_float
from jaxsr.models import ModelSpec
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.reference.preparation import LAYERS, read_references
from jaxsr.support.errors import UserError
from jaxsr.support.randomness import Purpose, seed_key
from jaxsr.support.types import Device, Key
from jaxsr.training.batches import Batch, Batches
from jaxsr.training.config import Config, network_of
from jaxsr.training.feeds.reference_feed import ReferenceCrops, ReferenceFeed
from jaxsr.training.tasks.validation_sets import PROTOCOLS, ValidationSet, validation_name
from jaxsr.weights.vgg_files import load_vgg

REDUCTION = "pillow"  # the authors', and CUFED5's protocol
VALIDATION_PAIRS = PairOptions(REDUCTION)
VALIDATION_LEVEL = "1"  # the most similar references
# Fields that don't apply, and their value: where in its reference a crop's textures lie is found before training
UNUSED = {"augment": False, "stretch": 0.0, "crops": 1, "quantize_lr": False}


def crop_size(config: Config, spec: ModelSpec) -> int:
    """Return the side of the HR crop: examples are whole crops, without context."""
    return config.model.scale * config.data.patch


def open_feed(config: Config, crop: int, devices: list[Device]) -> ReferenceFeed:
    """Return the feed of the photos and references in `data.references`."""
    return ReferenceFeed(config, crop, devices)


def make_batch(config: Config, spec: ModelSpec, crops: ReferenceCrops, keys: Key) -> Batches:
    """Return whole crops with their reductions, by Pillow's bicubic in 8 bits, and their references."""
    scale = config.model.scale
    hr, reference = to_float(crops.hr), to_float(crops.reference)
    lr, _ = degrade_batch(keys, hr, REDUCTION, scale=scale)
    return {scale: Batch(lr, hr, None, reference, crops.positions, crops.similarity)}


def validation_set(config: Config) -> ValidationSet:
    """Return the photos in `data.validation`, each with its most similar reference."""
    key = seed_key(config.seed, Purpose.RANDOM_VGG)
    vgg = load_vgg(LAYERS, config.perceptual.weights, key=key)
    sources = reference_sources(validation_name(config), VALIDATION_LEVEL)
    scale = config.model.scale
    pairs = [pair for source in sources for pair in source.pairs(scale, VALIDATION_PAIRS)]
    plain = RestoreOptions(vgg=vgg, precision="float32")
    options = [dataclasses.replace(plain, reference=read_references(source.references)) for source in sources]
    return ValidationSet(pairs, len(pairs), PROTOCOLS, options)


def check(config: Config, spec: ModelSpec) -> None:
    """Raise UserError unless the network takes references, there are some, and the fields of `config.data` fit."""
    takes = "reference" in spec.needed_by(network_of(config, spec))
    if not takes or not config.data.references:
        raise UserError(
            f"{spec.name} with data.references={config.data.references!r}: folders of photos with references are for "
            f"srntt unless it is alone; set --config.data.references or --config.model.options.alone"
        )
    if config.data.patch < spec.minimum:
        raise UserError(f"data.patch={config.data.patch} must be at least {spec.minimum}; set --config.data.patch")
    if config.data.degradation not in ("bicubic", REDUCTION) or tuple(config.data.rescale) != (1.0,):
        raise UserError(
            f"data.degradation={config.data.degradation!r} and data.rescale={config.data.rescale} do not apply to "
            f"task='reference', whose photos are reduced as they are by {REDUCTION!r}; leave both out"
        )
    for name, value in UNUSED.items():
        if (given := config.data[name]) != value:
            raise UserError(
                f"data.{name}={given!r} does not apply to task='reference', whose crops are used as they were matched "
                f"with their references; set --config.data.{name}={value}"
            )
    if not 0 <= config.data.hr_reference_share <= 1:
        raise UserError(
            f"data.hr_reference_share={config.data.hr_reference_share} must lie in [0, 1]; set "
            f"--config.data.hr_reference_share"
        )
