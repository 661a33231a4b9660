"""Task "deblur": motion blur removed from photos of full size, made by random camera shake or given as pairs."""

import jax
import jax.numpy as jnp

from jaxsr.data.blurred_pairs import holds_pairs
from jaxsr.data.listing import is_data_set
from jaxsr.degradations.blurring import blur
from jaxsr.degradations.camera_shake import check_shake
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.paired_sets import read_set
from jaxsr.evaluation.pairs import given_pair
from jaxsr.imaging.color import round_to_levels
from jaxsr.imaging.patches import center_crop
from jaxsr.models import ModelSpec
from jaxsr.support.errors import UserError
from jaxsr.support.randomness import Stream, streams
from jaxsr.support.types import Device, Key
from jaxsr.training.batches import Batch, Batches
from jaxsr.training.config import Config, network_of
from jaxsr.training.feeds.blurred_feed import BlurredCrops, BlurredFeed
from jaxsr.training.feeds.feed import Feed
from jaxsr.training.feeds.open_photos import open_pairs, open_photos
from jaxsr.training.tasks.augmentation import augment, to_images
from jaxsr.training.tasks.validation_sets import (
    ValidationSet,
    named_records,
    pairs_of,
    prepared_records,
    unequal,
    validation_name,
    validation_photos,
)

SCALE = 1
PROTOCOLS = ("rgb",)


def makes_blur(config: Config) -> bool:
    """Return whether some examples are blurred in the step, by random kernels."""
    return not config.data.pairs or config.data.synthetic_share > 0


def crop_size(config: Config, spec: ModelSpec) -> int:
    """Return the side of the crop for a patch and its context: half a kernel, and none where all blur is given."""
    return config.data.patch + (2 * (config.data.kernel_size // 2) if makes_blur(config) else 0)


def open_feed(config: Config, crop: int, devices: list[Device]) -> Feed:
    """Return the feed of `data.pairs`, of photos in `data.train` that are blurred here, or of both mixed."""
    pairs = open_pairs(config, crop, devices) if config.data.pairs else None
    photos = open_photos(config, crop, devices) if makes_blur(config) else None
    return BlurredFeed(photos, pairs, config, devices)


def make_batch(config: Config, spec: ModelSpec, crops: BlurredCrops, keys: Key) -> Batches:
    """Return the blurred and the HR patches (N, P, P, C) of `crops`, both augmented alike."""
    channels, side = network_of(config, spec).channels, config.data.patch
    both = [to_images(x, channels) for x in (crops.hr, crops.blurred) if x is not None]
    both = augment(jnp.concatenate(both, axis=-1), keys, config)
    hr, given = both[..., :channels], both[..., channels:]
    target = center_crop(hr, side, side)
    if crops.kernels is None:
        return {SCALE: Batch(center_crop(given, side, side), target)}
    made = _blurred(config, hr, crops.kernels, keys)
    if crops.is_pair is None:
        return {SCALE: Batch(made, target)}
    is_pair = crops.is_pair.reshape(-1, 1, 1, 1)
    return {SCALE: Batch(jnp.where(is_pair, center_crop(given, side, side), made), target)}


def _blurred(config: Config, hr: jax.Array, kernels: jax.Array, keys: Key) -> jax.Array:
    """Return the patches (N, P, P, C) of `hr` blurred by `kernels`, with `data.noise` and, if wanted, in 8 bits."""
    side = config.data.patch
    blurred = blur(hr, kernels, border="valid")[:, :side, :side]
    if config.data.noise:
        noise = jax.vmap(lambda key: jax.random.normal(key, blurred.shape[1:]))(streams(keys, Stream.MOTION_NOISE))
        blurred = jnp.clip(blurred + config.data.noise * noise, 0, 1)
    return round_to_levels(blurred) if config.data.quantize_lr else blurred


def validation_set(config: Config) -> ValidationSet:
    """Return the pairs in `data.validation` that differ, or its photos blurred by the same kind of camera shake.

    A prepared data set must have pairs where the run learns from some. Raises UserError where there are none.
    """
    data, name = config.data, validation_name(config)
    if data.pairs and is_data_set(name):
        records = named_records(prepared_records(name, blurred=True))
        pairs = unequal([given_pair(photo, record["hr"], record["blur"], SCALE) for photo, record in records])
    elif name != "samples" and holds_pairs(name):
        pairs = unequal([pair for source in read_set(name).sources for pair in source.pairs(SCALE)])
    else:
        options = PairOptions("motion", data.kernel_size, exposures=data.exposures, jitter=data.jitter)
        pairs, _ = pairs_of(validation_photos(config), SCALE, options)
    return ValidationSet(pairs, len(pairs), PROTOCOLS)


def check(config: Config, spec: ModelSpec) -> None:
    """Raise UserError unless a network of scale 1 learns from pairs or camera shake, and their fields fit."""
    data, scale = config.data, config.model.scale
    if scale != SCALE or not (data.pairs or data.degradation == "motion"):
        blur = "data.pairs" if data.pairs else f"data.degradation={data.degradation!r}"
        raise UserError(
            f"{spec.name} at scale {scale} does not learn from {blur}; deblurring has scale 1 and "
            f'--config.data.pairs=FOLDER or --config.data.degradation="motion"'
        )
    if data.patch < spec.minimum or data.patch % spec.multiple_of:  # the network's input is the patch as it is
        raise UserError(
            f"data.patch={data.patch} must be a multiple of {spec.multiple_of}, {spec.name}'s network takes no other, "
            f"and at least {spec.minimum}; set --config.data.patch"
        )
    if (data.noise and not makes_blur(config)) or not 0 <= data.noise <= 1:
        raise UserError(
            f'data.noise={data.noise} must lie in [0, 1] and is for data.degradation="motion"; leave it out'
        )
    if not 0 <= data.synthetic_share <= 1 or (data.synthetic_share and not data.pairs):
        raise UserError(
            f"data.synthetic_share={data.synthetic_share} must lie in [0, 1] and is for --config.data.pairs; set both"
        )
    if not makes_blur(config) and data.degradation not in ("bicubic", "motion"):  # the default, and deblurring's only
        raise UserError(f"data.degradation={data.degradation!r} does not apply to data.pairs; leave it out")
    if makes_blur(config):
        if data.degradation != "motion":
            raise UserError(f'data.synthetic_share={data.synthetic_share} needs --config.data.degradation="motion"')
        check_shake(data.kernel_size, data.exposures, data.jitter)
