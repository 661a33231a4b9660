"""Task "blind": super-resolution of photos each of which an unknown kernel blurred before it was made small."""

import jax

from jaxsr.degradations.table import DEGRADATIONS, degradation_of
from jaxsr.degradations.training_pairs import patch_context, patch_pair
from jaxsr.models import ModelSpec
from jaxsr.support.errors import UserError
from jaxsr.support.types import Key
from jaxsr.training.batches import Batch, Batches
from jaxsr.training.config import Config, network_of
from jaxsr.training.tasks.augmentation import augment, to_images


def crop_size(config: Config, spec: ModelSpec) -> int:
    """Return the side of the HR crop for a patch and its context: half a kernel, and the taps of the reduction."""
    data, scale = config.data, config.model.scale
    context = patch_context(data.degradation, scale, data.kernel_size, enlarged=spec.pre_upsampled)
    return scale * (data.patch + 2 * context)


def make_batch(config: Config, spec: ModelSpec, crops: jax.Array, keys: Key) -> Batches:
    """Return inputs and targets from `crops` (N, S, S, 3) uint8, with the random kernel that blurred each example.

    Blur, reduction, and 8 bits with `data.quantize_lr` (DAN, section 4.1).
    """
    data, scale = config.data, config.model.scale
    hr = augment(to_images(crops, network_of(config, spec).channels), keys, config)
    options = {"kernel_size": data.kernel_size, "quantize": data.quantize_lr, "enlarged": spec.pre_upsampled}
    return {scale: Batch(*patch_pair(data.degradation, keys, hr, scale=scale, **options))}


def check(config: Config, spec: ModelSpec) -> None:
    """Raise UserError for a degradation that draws no random kernel, or leaves photos at full size."""
    name, scale = config.data.degradation, config.model.scale
    row, _ = degradation_of(name, scale, config.data.kernel_size)
    if row.draw is None or scale == 1:
        drawn = ", ".join(name for name, row in DEGRADATIONS.items() if row.draw is not None and 1 not in row.scales)
        raise UserError(
            f"data.degradation={name!r} draws no kernel that makes photos small, task='blind' takes one of: {drawn}; "
            f"set --config.data.degradation or --config.task"
        )
