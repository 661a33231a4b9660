"""Photos restored by networks that each learned from its photo alone.

Shocher, Cohen, Irani, "Zero-Shot Super-Resolution using Deep Internal Learning", CVPR 2018, with the settings of
KernelGAN (Bell-Kligler, Shocher, Irani, NeurIPS 2019).
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.blind.downscale import fitted_kernel, ideal_kernel
from jaxsr.blind.internal_learning import Lesson, learn
from jaxsr.blind.reconstruction import reconstruct
from jaxsr.models import Model
from jaxsr.models.zssr import SPEC
from jaxsr.support.errors import UserError

Kernels = np.ndarray | Sequence[np.ndarray] | None

STAGES = {2: (2,), 3: (3,), 4: (2, 4)}  # x4 gradually: its network goes on from the one for x2
SMALLEST_SON = 16  # pixels a side
REAL_NOISE = 0.0125


class Stage(NamedTuple):
    """A `scale` to learn, and the centred `kernel` (k, k) that makes its sons."""

    scale: int
    kernel: np.ndarray


def restore_zssr(
    photos: Sequence[np.ndarray],
    *,
    scale: int,
    kernels: Sequence[Kernels] | None = None,
    seed: int = 0,
    real: bool = False,
    noise_scale: float = 1.0,
    ensemble: bool = False,
    augment: bool = False,
    crop: int = 128,
    fathers: int = 1,
    steps: int = 3000,
    progress: Callable[[int, int], None] | None = None,
) -> list[np.ndarray]:
    """Return `photos`, each (H, W, 1 or 3) in [0, 1], restored: (scale H, scale W, C) float32 in [0, 1].

    `kernels` has for each photo the kernel (k, k) of its reduction by `scale`, in correlation orientation; or at scale
    4 the pair of those for 2 and for 4, and the network is trained gradually; or None for MATLAB's bicubic reduction.
    They are centred here. `real` photos, which no known kernel reduced, are learned from noisy sons, of deviation
    0.0125 `noise_scale`, and get no back-projection. `ensemble` takes the median over 8 flips and turns. Each step
    learns from `fathers` crops of `crop` pixels a side, less in smaller photos, with `augment` flipped and turned;
    a scale is learned after `steps`, or earlier when the error falls no more.
    The result follows from the photo, its kernel and `seed`, bit for bit, whatever photos are beside it.
    `progress(done, total)` counts steps. Raises UserError, before any work, for another scale, for photos too small
    or of another shape or range, and for kernels that do not fit.
    """
    kernels = [None] * len(photos) if kernels is None else kernels
    plans = _checked_plans(photos, kernels, scale, crop)
    count = _counter(progress, steps * sum(map(len, plans)))
    noise = REAL_NOISE * noise_scale if real else 0.0

    def restored(photo: np.ndarray, plan: list[Stage]) -> np.ndarray:
        recipe = {"crop": crop, "fathers": fathers, "noise": noise, "augment": augment}
        model = learn_model(photo, plan, seed=seed, steps=steps, count=count, **recipe)
        return reconstruct(model, photo, plan[-1].kernel, ensemble=ensemble, corrected=not real)

    return [restored(photo, plan) for photo, plan in zip(photos, plans, strict=True)]


def learn_model(
    photo: np.ndarray,
    plan: Sequence[Stage],
    *,
    crop: int,
    seed: int,
    steps: int,
    count: Callable[[int], None] = lambda steps: None,
    **recipe: Any,
) -> Model:
    """Return the network that `photo` (H, W, C) teaches by the stages of `plan`, each from the last one's weights.

    `recipe` (fathers, noise, augment) goes to `Lesson`; `count(n)` tells of n more steps done or not needed.
    """
    module, params = SPEC.module(plan[0].scale, channels=photo.shape[-1]), None
    source, key = jnp.asarray(photo, jnp.float32), jax.random.key(seed)
    for scale, kernel in plan:
        lesson = Lesson(module, scale, fitting_crop(photo, scale, crop), **recipe)
        run = learn(
            *(lesson, source, jnp.asarray(kernel, jnp.float32), jax.random.fold_in(key, scale)),
            **{"params": params, "steps": steps, "report": count},
        )
        params = run.params
        count(steps - int(run.step))
    return Model(SPEC, module, plan[-1].scale, {"params": params})


def fitting_crop(photo: np.ndarray, scale: int, crop: int) -> int:
    """Return the side of the largest square of `photo` up to `crop`, a multiple of `scale`."""
    return min(crop, *photo.shape[:2]) // scale * scale


def _checked_plans(
    photos: Sequence[np.ndarray], kernels: Sequence[Kernels], scale: int, crop: int
) -> list[list[Stage]]:
    """Return the stages of each photo, or raise UserError for the first mistake."""
    if scale not in STAGES:
        raise UserError(f"zssr has no scale {scale!r}; choose one of: {', '.join(map(str, STAGES))}")
    if len(kernels) != len(photos):
        raise UserError(f"{len(kernels)} kernels for {len(photos)} photos; give one for each, None for bicubic")
    least = SMALLEST_SON * scale
    if crop < least:
        raise UserError(f"crop={crop} is too small for zssr at scale {scale}; use at least {least}")
    plans = []
    for photo, given in zip(photos, kernels, strict=True):
        check_photo(photo, least)
        plan = make_plan(given, scale)
        for stage in plan:
            _check_kernel(stage, fitting_crop(photo, stage.scale, crop))
        plans.append(plan)
    return plans


def check_photo(photo: np.ndarray, least: int) -> None:
    """Raise UserError unless `photo` is (H, W, 1 or 3) in [0, 1] with `least` pixels a side."""
    if photo.ndim != 3 or photo.shape[-1] not in (1, 3):
        raise UserError(f"zssr takes photos of shape (H, W, 1 or 3); got {photo.shape}")
    height, width = photo.shape[:2]
    if min(height, width) < least:
        raise UserError(f"a photo of {width}x{height} pixels is too small for zssr; use at least {least}x{least}")
    if not (photo.min() >= 0 and photo.max() <= 1):  # also refuses NaN
        raise UserError(f"photos lie in [0, 1]; got [{photo.min():g}, {photo.max():g}]; divide by their maximum")


def make_plan(kernels: Kernels, scale: int) -> list[Stage]:
    """Return the stages of a photo whose reduction by `scale` has `kernels`: one, one for each stage, or None."""
    scales = STAGES[scale]
    if kernels is None:
        return [Stage(s, ideal_kernel(s)) for s in scales]
    if isinstance(kernels, np.ndarray) and kernels.ndim == 2:
        scales, kernels = (scale,), [kernels]
    if len(kernels) != len(scales):
        raise UserError(f"{len(kernels)} kernels for scale {scale}; give one, or those for scales {scales}")
    return [Stage(s, _fitted(np.asarray(kernel, np.float64), s)) for s, kernel in zip(scales, kernels, strict=True)]


def _fitted(kernel: np.ndarray, scale: int) -> np.ndarray:
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1]:
        raise UserError(f"a blur kernel is a square (k, k); got {kernel.shape}")
    return fitted_kernel(kernel, scale)


def _check_kernel(stage: Stage, crop: int) -> None:
    size = len(stage.kernel)
    if size > crop:
        raise UserError(f"a kernel of {size}x{size} is larger than the crops of {crop}x{crop}; use a larger photo")


def _counter(progress: Callable[[int, int], None] | None, total: int) -> Callable[[int], None]:
    """Return a function that adds steps and tells `progress` their sum."""
    done, lock = [0], threading.Lock()

    def count(steps: int) -> None:
        with lock:
            done[0] += steps
            if progress is not None:
                progress(done[0], total)

    return count
