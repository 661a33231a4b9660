"""Photos restored by networks that were each trained on their photo alone.

Shocher, Cohen, Irani, "Zero-Shot Super-Resolution using Deep Internal Learning", CVPR 2018, with the settings of
KernelGAN (Bell-Kligler, Shocher, Irani, NeurIPS 2019).
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.blind.zssr.device_threads import SharedProgress, on_devices
from jaxsr.blind.zssr.fathers_and_sons import StepSpec
from jaxsr.blind.zssr.internal_learning import learn
from jaxsr.blind.zssr.kernel_choice import choose_kernels, phases
from jaxsr.blind.zssr.reconstruction import reconstruct
from jaxsr.blind.zssr.settings import DEFAULT_SETTINGS, ZSSRSettings
from jaxsr.blind.zssr.stages import Kernels, Stage, checked_stages, fitting_crop
from jaxsr.models import Model
from jaxsr.models.precision import in_32_bits
from jaxsr.models.zssr import SPEC
from jaxsr.support.types import Params, Progress


@in_32_bits
def restore_zssr(
    photos: Sequence[np.ndarray],
    *,
    scale: int,
    kernels: Sequence[Kernels] | None = None,
    settings: ZSSRSettings = DEFAULT_SETTINGS,
    ensemble: bool = False,
    progress: Progress | None = None,
) -> list[np.ndarray]:
    """Return `photos` restored, each by a network that learned from it alone.

    Args:
        photos: arrays (H, W, 1 or 3) in [0, 1].
        scale: 2, 3 or 4.
        kernels: for each photo the kernel (k, k) that reduced it, in correlation orientation, centred here; or at scale
            4 the pair of those for 2 and 4, for gradual training; or None for MATLAB's bicubic. Else as `settings` say.
        settings: how each network learns.
        ensemble: whether the result is the median over 8 flips and turns.
        progress: `progress(done, total)` counts the training steps of all photos, and before them KernelGAN's.

    Returns:
        Arrays (scale H, scale W, C), float32 in [0, 1]: the same bits whatever other photos are restored with them.

    Raises:
        UserError: before any training, for a scale, photos or kernels that cannot be used.
    """
    if kernels is None:
        estimating, progress = phases(progress, len(photos), scale, settings)
        kernels = choose_kernels(photos, scale, settings, estimating)
    stages = checked_stages(photos, kernels, scale=scale, crop=settings.crop)
    shared = SharedProgress(progress, settings.steps * sum(map(len, stages)))
    try:
        models = on_devices(lambda i: learn_model(photos[i], stages[i], settings, shared.of_photo(i)), len(photos))
    finally:
        shared.stop()
    # All devices share the tiles of a photo, which would wait behind the training steps queued for another photo
    return [
        reconstruct(model, photo, own[-1].kernel, ensemble=ensemble, corrected=not settings.real)
        for model, photo, own in zip(models, photos, stages, strict=True)
    ]


def learn_model(
    photo: np.ndarray, stages: Sequence[Stage], settings: ZSSRSettings, progress: Progress | None = None
) -> Model:
    """Return the network trained on `photo` (H, W, C) for each of `stages`, each from the weights of the one before.

    `progress(done, total)` counts steps; those that a stage did not need count as done.
    """
    module = SPEC.module(stages[0].scale, channels=photo.shape[-1])
    source, key = jnp.asarray(photo, jnp.float32), jax.random.key(settings.seed)
    params: Params = {}
    total = settings.steps * len(stages)
    for index, (scale, kernel) in enumerate(stages):
        before = settings.steps * index
        run = learn(
            step_spec(module, photo, scale, settings),
            *(source, jnp.asarray(kernel, jnp.float32)),
            jax.random.fold_in(key, scale),
            params=params or None,
            steps=settings.steps,
            progress=progress and (lambda done, _, before=before: progress(before + done, total)),
        )
        params = run.params
        if progress is not None:
            progress(before + settings.steps, total)
    return Model(SPEC, module, stages[-1].scale, {"params": params})


def step_spec(module: nn.Module, photo: np.ndarray, scale: int, settings: ZSSRSettings) -> StepSpec:
    """Return what a training step on `photo` depends on at `scale`."""
    return StepSpec(
        module,
        scale,
        fitting_crop(photo, scale, settings.crop),
        fathers=settings.fathers,
        noise=settings.noise,
        augment=settings.augment,
    )
