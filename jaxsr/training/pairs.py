"""What a step learns from: pairs of a network's input and its target, made on the device from sharp crops."""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsr.degradations.blur import blur, degrade
from jaxsr.degradations.kernels import KERNELS
from jaxsr.degradations.reductions import BICUBIC_CONTEXT, pair_context, reduced_pair
from jaxsr.imaging.color import luma, round_to_levels
from jaxsr.imaging.patches import center_crop, cut_border, dihedral, stretch_levels
from jaxsr.imaging.resize import resize
from jaxsr.models import ModelSpec
from jaxsr.training.config import Config


class Pair(NamedTuple):
    """A network's input `small` (N, h, w, C), its target `sharp` (N, H, W, C), and the `kernels` (N, k, k) between.

    `reference` (N, H, W, 3) has texture for it, `places` (N, h-2, w-2, 3) say where, `similarity` (N, h-2, w-2) how
    like.
    """

    small: jax.Array
    sharp: jax.Array
    kernels: jax.Array | None = None
    reference: jax.Array | None = None
    places: jax.Array | None = None
    similarity: jax.Array | None = None


Pairs = dict[int, Pair]  # by scale


class Crops(NamedTuple):
    """What deblurring learns from: `sharp` crops (N, S, S, 3) uint8, and how each of them is blurred.

    By its kernel of `kernels` (N, k, k), or as its photo of `blurred` (N, S, S, 3) uint8 shows; where both are there,
    `real` (N,) says which examples are of the second sort.
    """

    sharp: jax.Array
    kernels: jax.Array | None = None
    blurred: jax.Array | None = None
    real: jax.Array | None = None


class GuidedCrops(NamedTuple):
    """What SRNTT learns from: `sharp` and `reference` crops (N, S, S, 3) uint8, and where they match.

    `places` (N, S/4-2, S/4-2, 3) and `similarity` (N, S/4-2, S/4-2) are those of `feature_matching.Matches`.
    """

    sharp: jax.Array
    reference: jax.Array
    places: jax.Array
    similarity: jax.Array


def crop_size(config: Config, spec: ModelSpec) -> int:
    """Return the side of the HR crop that makes one patch, its context for the bicubic kernel included.

    With `data.scales`, whose patches are measured on the enlargement, it is a multiple of every scale. For deblurring
    the context is half a kernel, and none where all photos are blurred already, or have references.
    """
    if config.data.references:
        return config.model.scale * config.data.patch
    if is_deblurring(config):
        return config.data.patch + (2 * (config.data.kernel_size // 2) if makes_blur(config) else 0)
    context = 2 * (blind_context(config) if is_blind(config) else pair_context(spec.pre_upsampled))
    if config.data.scales:
        period = math.lcm(*config.data.scales)
        return -(-(config.data.patch + max(config.data.scales) * context) // period) * period
    return config.model.scale * (config.data.patch + context)


def pair_scales(config: Config, spec: ModelSpec) -> tuple[int, ...]:
    """Return the scales that `make_pairs` files its pairs under."""
    return config.data.scales if config.data.scales and not spec.pre_upsampled else (config.model.scale,)


def make_pairs(
    hr: jax.Array | Crops | GuidedCrops, keys: jax.Array, config: Config, spec: ModelSpec, channels: int
) -> Pairs:
    """Return inputs and targets by scale from uint8 crops `hr` (N, S, S, 3), turned by each example's key.

    For deblurring they are Crops, with references GuidedCrops, as the feed draws them.

    With `data.scales` a network on enlargements gets a batch in which each example has its own scale, filed under
    `model.scale`; other networks get the same crops at every scale.
    """
    if isinstance(hr, Crops):
        return {config.model.scale: deblurring_pair(hr, keys, config, channels)}
    if isinstance(hr, GuidedCrops):
        return {config.model.scale: guided_pair(hr, config)}
    hr = _varied(_in_channels(hr, channels), keys, config)
    if is_blind(config):
        return {config.model.scale: blind_pair(keys, hr, config)}
    reduced = functools.partial(
        reduced_pair,
        keys,
        hr,
        degradation=config.data.degradation,
        enlarged=spec.pre_upsampled,
        quantize=config.data.quantize_lr,
    )
    if not config.data.scales:
        return {config.model.scale: Pair(*reduced(config.model.scale))}
    side = config.data.patch
    sharp = center_crop(hr, side, side)
    inputs = {scale: reduced(scale)[0] for scale in config.data.scales}
    if not spec.pre_upsampled:
        return {scale: Pair(center_crop(x, side // scale, side // scale), sharp) for scale, x in inputs.items()}
    cut = [center_crop(x, side, side) for x in inputs.values()]
    return {config.model.scale: Pair(_one_of_each(cut, keys), sharp)}


def _in_channels(crops: jax.Array, channels: int) -> jax.Array:
    """Return RGB `crops` (N, S, S, 3) uint8 in [0, 1], and with `channels` 1 their luma (N, S, S, 1)."""
    crops = crops.astype(jnp.float32) / 255
    return luma(crops) if channels == 1 else crops


def _varied(images: jax.Array, keys: jax.Array, config: Config) -> jax.Array:
    """Return `images` (N, S, S, C) flipped, turned and some of more contrast, as the config says, by their keys."""
    if config.data.augment:
        turns = jax.vmap(lambda key: jax.random.randint(jax.random.fold_in(key, 1), (), 0, 8))(keys)
        images = jax.vmap(dihedral)(images, turns)
    if config.data.stretch:
        images = jax.vmap(functools.partial(stretch_levels, share=config.data.stretch))(keys, images)
    return images


def is_deblurring(config: Config) -> bool:
    """Return whether a photo is learned from the same one with motion blur, which its feed gives as Crops."""
    return bool(config.data.pairs) or config.data.degradation == "motion"


def makes_blur(config: Config) -> bool:
    """Return whether some examples of deblurring are blurred in the step, and not before."""
    return is_deblurring(config) and (not config.data.pairs or config.data.synthetic_share > 0)


def deblurring_pair(crops: Crops, keys: jax.Array, config: Config, channels: int) -> Pair:
    """Return the pair of blurred and sharp patches (N, P, P, C) of `crops`, both turned alike.

    What is blurred here gets `data.noise` and, with `data.quantize_lr`, 8 bits.
    """
    both = [_in_channels(x, channels) for x in (crops.sharp, crops.blurred) if x is not None]
    both = _varied(jnp.concatenate(both, axis=-1), keys, config)
    side = config.data.patch
    sharp, blurred = (center_crop(x, side, side) for x in (both[..., :channels], both[..., channels:]))
    if crops.kernels is not None:
        made = blur(both[..., :channels], crops.kernels, border="valid")[:, :side, :side]
        if config.data.noise:
            noise = jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, 6), made.shape[1:]))(keys)
            made = jnp.clip(made + config.data.noise * noise, 0, 1)
        made = round_to_levels(made) if config.data.quantize_lr else made
        blurred = made if crops.real is None else jnp.where(crops.real.reshape(-1, 1, 1, 1), blurred, made)
    return Pair(blurred, sharp)


def guided_pair(crops: GuidedCrops, config: Config) -> Pair:
    """Return the whole `crops` with what bicubic reduction in 8 bits makes of them, and their references."""
    sharp, reference = (x.astype(jnp.float32) / 255 for x in (crops.sharp, crops.reference))
    small = round_to_levels(jnp.clip(resize(sharp, 1 / config.model.scale), 0, 1))
    return Pair(small, sharp, None, reference, crops.places, crops.similarity)


def is_blind(config: Config) -> bool:
    """Return whether every patch is blurred by a kernel of its own."""
    return config.data.degradation in KERNELS


def blind_context(config: Config) -> int:
    """Return the small pixels to cut from each side: half a kernel, and the taps of bicubic reduction."""
    return -(-(config.data.kernel_size // 2) // config.model.scale) + BICUBIC_CONTEXT


def blind_pair(keys: jax.Array, hr: jax.Array, config: Config) -> Pair:
    """Return the pair of crops `hr` (N, S, S, C) blurred by random kernels, one for each key, and these.

    Blur, bicubic reduction, 8 bits with `data.quantize_lr` (DAN, section 4.1).
    """
    scale, context, size = config.model.scale, blind_context(config), config.data.kernel_size
    keys = jax.vmap(lambda key: jax.random.fold_in(key, 5))(keys)
    kernels = jax.vmap(lambda key: KERNELS[config.data.degradation](key, scale, size))(keys)
    small = degrade(keys[0], hr, kernels, scale, quantize=config.data.quantize_lr)
    return Pair(cut_border(small, context), cut_border(hr, scale * context), kernels)


def _one_of_each(candidates: list[jax.Array], keys: jax.Array) -> jax.Array:
    """Return a batch (N, ...) that takes every example from one of `candidates`, each (N, ...), by its key."""
    chosen = jax.vmap(lambda key: jax.random.randint(jax.random.fold_in(key, 3), (), 0, len(candidates)))(keys)
    return jnp.select([(chosen == i).reshape(-1, 1, 1, 1) for i in range(len(candidates))], candidates)
