"""Photos restored by networks that each learned from its photo alone.

Shocher, Cohen, Irani, "Zero-Shot Super-Resolution using Deep Internal Learning", CVPR 2018, with the settings of
KernelGAN (Bell-Kligler, Shocher, Irani, NeurIPS 2019).
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.blind.zssr.internal_learning import Lesson, learn
from jaxsr.blind.zssr.reconstruction import reconstruct
from jaxsr.blind.zssr.stages import Kernels, Stage, checked_plans, fitting_crop
from jaxsr.models import Model
from jaxsr.models.zssr import SPEC

REAL_NOISE = 0.0125
CROP = 128  # pixels a side of a father


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
    crop: int = CROP,
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
    plans = checked_plans(photos, [None] * len(photos) if kernels is None else kernels, scale, crop)
    steps_done = _Steps(progress, steps * sum(map(len, plans)))
    recipe = {"fathers": fathers, "noise": REAL_NOISE * noise_scale if real else 0.0, "augment": augment}

    def learned(index: int) -> Model:
        count = steps_done.count
        return learn_model(photos[index], plans[index], crop=crop, seed=seed, steps=steps, count=count, **recipe)

    try:
        models = _on_devices(learned, len(photos))
    finally:
        steps_done.stop()
    # All devices share the windows of a photo: behind the steps that another photo has queued they would wait
    return [
        reconstruct(model, photo, plan[-1].kernel, ensemble=ensemble, corrected=not real)
        for model, photo, plan in zip(models, photos, plans, strict=True)
    ]


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
        kernel, stage_key = jnp.asarray(kernel, jnp.float32), jax.random.fold_in(key, scale)
        run = learn(lesson, source, kernel, stage_key, params=params, steps=steps, report=count)
        params = run.params
        count(steps - int(run.step))
    return Model(SPEC, module, plan[-1].scale, {"params": params})


def _on_devices(work: Callable[[int], Model], count: int) -> list[Model]:
    """Return `work(0)` to `work(count - 1)`, as many at once as there are devices, each on one of its own.

    Photos end at different steps and have different sizes: one program for several would wait for the slowest.
    """
    devices: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for device in jax.local_devices():
        devices.put(device)

    def on_device(index: int) -> Model:
        device = devices.get()
        try:
            with jax.default_device(device):
                return work(index)
        finally:
            devices.put(device)

    pool = ThreadPoolExecutor(devices.qsize())
    futures = [pool.submit(on_device, index) for index in range(count)]
    try:
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()  # raises what stopped it
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Steps:
    """The steps done on all photos, which `progress` is told; once stopped, whoever counts on is stopped too."""

    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0
        self.lock, self.stopped = threading.Lock(), threading.Event()

    def count(self, steps: int) -> None:
        """Add `steps`; raises CancelledError after `stop`."""
        if self.stopped.is_set():
            raise CancelledError
        with self.lock:
            self.done += steps
            if self.progress is not None:
                self.progress(self.done, self.total)

    def stop(self) -> None:
        """Stop all photos at their next count: one failed, or the user interrupted."""
        self.stopped.set()
