"""Runs of KernelGAN, photos times seeds, in batches that all local devices share."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import jax
import numpy as np

from jaxsr.blind.kernelgan.optimization import State, start, train
from jaxsr.blind.kernelgan.recipes import Recipe
from jaxsr.devices import meshes
from jaxsr.devices.meshes import map_examples, on_accelerator
from jaxsr.support.types import Device, Tree

GPU_BATCH = 64  # runs on a GPU at the same time; each takes a few MB
OnKernels = Callable[[int, dict[int, np.ndarray]], object]  # on_kernels(step, {photo: kernel})


@dataclasses.dataclass(frozen=True)
class Estimate:
    """The result of one run: the generator's raw `kernel` (13, 13), and the `losses` (steps, 3) of `train`.

    `spectral_variance` is the variance that the kernel should have by the photo's spectrum; None leaves it as it is.
    """

    seed: int
    kernel: np.ndarray
    losses: np.ndarray
    spectral_variance: float | None = None


@dataclasses.dataclass(frozen=True)
class Example:
    """One run: `photo` (H, W, 3) in [0, 1] without its border, its `index` among the caller's photos, and the rest."""

    photo: np.ndarray
    index: int
    seed: int
    recipe: Recipe
    corners: tuple[np.ndarray, np.ndarray]  # of the generator's and the discriminator's crops, each (steps, 2)
    spectral_variance: float | None = None


def runs_per_batch() -> int:
    """Return how many runs, photos times seeds, one program makes."""
    return jax.local_device_count() * (GPU_BATCH if on_accelerator() else 1)


def make_batches(examples: Sequence[Example]) -> list[list[Example]]:
    """Return `examples` in batches of at most `runs_per_batch()`, each of one recipe."""
    size, batches = runs_per_batch(), []
    for recipe in dict.fromkeys(example.recipe for example in examples):
        alike = [example for example in examples if example.recipe == recipe]
        batches += [alike[first : first + size] for first in range(0, len(alike), size)]
    return batches


def run_batch(batch: list[Example], *, report_every: int, report: OnKernels) -> list[Estimate]:
    """Return the Estimate of each run of `batch`, all of one recipe.

    Every `report_every` steps and at the end, `report(step, kernels)` gets the mean kernel (13, 13) over each photo's
    runs, by the photo's index. Short batches are filled up with repeated runs, whose results are dropped.
    """
    devices = tuple(jax.local_devices()[: len(batch)])
    filled = batch + batch[:1] * (-len(batch) % len(devices))
    spread = functools.partial(meshes.spread, count=len(devices))
    advance = _training_program(devices, batch[0].recipe)
    keys = [jax.random.key_data(jax.random.key(example.seed)) for example in filled]
    state = _start_program(devices)(spread(keys), spread(_padded_planes([example.photo for example in filled])))
    corners = [spread(kind) for kind in zip(*(example.corners for example in filled), strict=True)]
    steps = corners[0].shape[2]
    losses = np.zeros((len(devices), len(filled) // len(devices), steps, 3), np.float32)
    for last in [*range(report_every, steps, report_every), steps]:
        state, new_losses = advance(state, corners, spread([np.int32(last)] * len(filled)))
        losses += np.asarray(new_losses)
        report(last, _mean_kernels(batch, state))
    results = zip(batch, _per_run(state.kernel), _per_run(losses), strict=False)
    return [Estimate(example.seed, kernel, curve, example.spectral_variance) for example, kernel, curve in results]


@functools.lru_cache(maxsize=8)
def _start_program(devices: tuple[Device, ...]) -> Callable[..., State]:
    """Return `start` for examples (devices, share, ...). A share of 1 is no batch."""
    return map_examples(lambda key, photo: start(jax.random.wrap_key_data(key), photo), devices)


@functools.lru_cache(maxsize=8)
def _training_program(devices: tuple[Device, ...], recipe: Recipe) -> Callable[..., tuple[State, jax.Array]]:
    """Return `train` for examples (devices, share, ...)."""
    return map_examples(functools.partial(train, recipe=recipe), devices)


def _per_run(values: Tree) -> np.ndarray:
    """Return `values` (devices, share, ...) as (runs, ...)."""
    return np.reshape(values, (-1, *values.shape[2:]))


def _mean_kernels(batch: list[Example], state: State) -> dict[int, np.ndarray]:
    """Return the mean kernel (13, 13) of each photo's runs in `batch`, by the photo's index."""
    kernels = _per_run(np.asarray(state.kernel))
    indices = np.array([example.index for example in batch])
    return {index: kernels[: len(batch)][indices == index].mean(axis=0) for index in indices.tolist()}


def _padded_planes(photos: Sequence[np.ndarray]) -> np.ndarray:
    """Return `photos` (H, W, 3) in [0, 1] as planes (n, 3, H', W') in [-1, 1], all padded to one size.

    The sides are rounded up to 2^n or 1.5 * 2^n, so that few sizes are ever compiled for. No crop reaches the padding.
    """
    height, width = (_rounded_side(max(photo.shape[axis] for photo in photos)) for axis in range(2))
    planes = np.zeros((len(photos), 3, height, width), np.float32)
    for padded, photo in zip(planes, photos, strict=True):
        padded[:, : photo.shape[0], : photo.shape[1]] = 2 * photo.transpose(2, 0, 1) - 1
    return planes


def _rounded_side(side: int) -> int:
    return next(size for n in range(6, 64) for size in (2**n, 3 * 2 ** (n - 1)) if size >= side)
