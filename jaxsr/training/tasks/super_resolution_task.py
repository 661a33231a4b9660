"""Task "sr": super-resolution of photos that one fixed degradation made small, such as MATLAB's bicubic reduction."""

import math

import jax
import jax.numpy as jnp

from jaxsr.degradations.table import DEGRADATIONS, degradation_of
from jaxsr.degradations.training_pairs import PatchPair, patch_context, patch_pair
from jaxsr.imaging.patches import center_crop
from jaxsr.models import ModelSpec
from jaxsr.support.errors import UserError
from jaxsr.support.randomness import Stream, streams
from jaxsr.support.types import Key
from jaxsr.training.batches import Batch, Batches
from jaxsr.training.config import Config, default_config, network_of
from jaxsr.training.tasks.augmentation import augment, to_images


def crop_size(config: Config, spec: ModelSpec) -> int:
    """Return the side of the HR crop for a patch and its context.

    With `data.scales`, whose patches are measured in HR pixels, it is a multiple of every scale.
    """
    patch, scales = config.data.patch, config.data.scales
    context = 2 * patch_context(config.data.degradation, config.model.scale, enlarged=spec.pre_upsampled)
    if not scales:
        return config.model.scale * (patch + context)
    period = math.lcm(*scales)
    return -(-(patch + max(scales) * context) // period) * period


def make_batch(config: Config, spec: ModelSpec, crops: jax.Array, keys: Key) -> Batches:
    """Return inputs and targets by scale from `crops` (N, S, S, 3) uint8.

    With `data.scales` a `pre_upsampled` network gets one batch, filed under `model.scale`, in which each example has
    its own scale; other networks get the same crops at every scale.
    """
    hr = augment(to_images(crops, network_of(config, spec).channels), keys, config)
    scales, patch = config.data.scales, config.data.patch
    if not scales:
        pair = _degraded(config, spec, hr, keys, config.model.scale)
        return {config.model.scale: Batch(pair.lr, pair.hr)}
    target = center_crop(hr, patch, patch)
    inputs = {scale: _degraded(config, spec, hr, keys, scale).lr for scale in scales}
    if not spec.pre_upsampled:
        return {scale: Batch(center_crop(x, patch // scale, patch // scale), target) for scale, x in inputs.items()}
    candidates = [center_crop(x, patch, patch) for x in inputs.values()]
    return {config.model.scale: Batch(_one_of_each(candidates, keys), target)}


def _degraded(config: Config, spec: ModelSpec, hr: jax.Array, keys: Key, scale: int) -> PatchPair:
    """Return what the degradation makes of `hr` (N, S, S, C), without the context, enlarged if the network needs it."""
    options = {"quantize": config.data.quantize_lr, "enlarged": spec.pre_upsampled}
    return patch_pair(config.data.degradation, keys, hr, scale=scale, **options)


def _one_of_each(candidates: list[jax.Array], keys: Key) -> jax.Array:
    """Return a batch (N, ...) that takes every example from one of `candidates`, each (N, ...), by its key."""
    chosen = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(candidates)))(streams(keys, Stream.SCALE))
    return jnp.select([(chosen == i).reshape(-1, 1, 1, 1) for i in range(len(candidates))], candidates)


def check(config: Config, spec: ModelSpec) -> None:
    """Raise UserError for a degradation that draws kernels, for a size of kernels, and for scales of separate weights.

    Scale 1, and patches that are no multiple of a scale, are refused too.
    """
    name, scales, patch = config.data.degradation, config.data.scales, config.data.patch
    if config.model.scale == 1:
        raise UserError(f"{spec.name} at scale 1 is not trained by task='sr'; set --config.task=deblur")
    row, _ = degradation_of(name, config.model.scale)
    if row.draw is not None:
        fixed = ", ".join(name for name, row in DEGRADATIONS.items() if row.draw is None)
        raise UserError(
            f"data.degradation={name!r} draws a kernel for each photo, task='sr' takes one of: {fixed}; set "
            f"--config.data.degradation or --config.task=blind"
        )
    if (size := config.data.kernel_size) != default_config().data.kernel_size:
        raise UserError(f"data.kernel_size={size}: data.degradation={name!r} draws no kernel; leave it out")
    if scales and not spec.shares(*scales, config.model.scale):
        raise UserError(f'weights of {spec.name} do not serve the scales {scales}; set --config.data.scales="()"')
    for scale in scales:
        spec.module(scale)
        if not spec.pre_upsampled and patch % scale:
            raise UserError(f"data.patch={patch} is not a multiple of the scale {scale}; set --config.data.patch")
