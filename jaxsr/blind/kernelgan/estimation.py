"""The blur kernels of photos, by KernelGAN: many photos and seeds in one program, shared by all devices."""

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jaxsr.blind.kernelgan.crops import draw_crops, usable_part
from jaxsr.blind.kernelgan.optimization import FIDELITIES, STEPS, Fidelity, State, start, train
from jaxsr.blind.kernelgan.postprocessing import finish
from jaxsr.data.images import read_pixels
from jaxsr.devices import meshes
from jaxsr.devices.meshes import map_examples
from jaxsr.restoration.photo import check_array
from jaxsr.support.errors import UserError, choose

SCALES = (2, 4)
DEFAULT_FIDELITY = "mixed"  # the published rules make narrow kernels too wide, the steady ones wide ones too narrow
SEEDS = 4  # runs differ much: the errors of single ones spread twice as far as those of means of four
# Where a generator gives up, its kernel sums to 0: such runs are left out, after so many steps even if all are such
LEAST_SUM, SETTLED = 0.1, 1000
MOST_ON_A_GPU = 64  # examples at once, a few MB each
Progress = Callable[[int, dict[int, np.ndarray]], None]


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What one run found: the generator's `kernel` (13, 13) as it is, and the `losses` (steps, 3) of `train`."""

    seed: int
    kernel: np.ndarray
    losses: np.ndarray


@dataclasses.dataclass(frozen=True)
class Example:
    """One run: a photo (H, W, 3) in [0, 1] without its border, its place among the caller's, a seed, rules, crops."""

    photo: np.ndarray
    place: int
    seed: int
    rules: Fidelity
    corners: tuple[np.ndarray, np.ndarray]


def estimate_kernel(
    photo: Any, scale: int = 2, seed: int = 0, *, seeds: int = SEEDS, fidelity: str = DEFAULT_FIDELITY
) -> np.ndarray:
    """Return the kernel (k, k) that made `photo` from one `scale` times larger: its blur, before each `scale`-th pixel.

    It sums to 1, is in correlation orientation, and centred for reduction from pixel 0 (`imaging/centering.py`), which
    makes k 15 or more at scale 2, 27 or more at 4. `photo` is a NumPy array (H, W) or (H, W, C), uint8, uint16 or
    float in [0, 1], a PIL image or a path; alpha is left out. The kernel is that of the mean of `seeds` runs, the first
    with `seed`; the same ones give the same kernel. Raises UserError for another kind, for a photo under 86 x 86 pixels
    or without detail. Source: Bell-Kligler et al., NeurIPS 2019.
    """
    check_scale(scale)
    (estimates,) = estimate_kernels([rgb_photo(photo)], seeds=range(seed, seed + seeds), fidelity=fidelity)
    return combine(estimates, scale)


def estimate_kernels(
    photos: Sequence[np.ndarray],
    *,
    seeds: Sequence[int] = (0,),
    fidelity: str = DEFAULT_FIDELITY,
    steps: int = STEPS,
    progress: Progress | None = None,
    progress_every: int | None = None,
) -> list[list[Estimate]]:
    """Return for each of `photos` (H, W, 3) in [0, 1] an Estimate for each of `seeds`.

    All local devices take part. The same call gives the same kernels, bit for bit, with other photos beside and on any
    number of devices, as long as each has one run at a time, as on a CPU. Batches of several round otherwise, which the
    two networks enlarge: another kernel, as good. Every `progress_every` steps, and at the end, `progress(step,
    kernels)` gets the mean kernel (13, 13) of each photo under way, by its place in `photos`. Raises UserError, before
    any work, for a photo that is too small or flat.
    """
    rules = choose("fidelity", fidelity, FIDELITIES)
    if steps < 1 or not seeds:
        raise UserError(f"steps={steps} with {len(seeds)} seeds estimates nothing; use at least 1 of each")
    every = min(progress_every or steps, steps)
    parts = [usable_part(photo) for photo in photos]
    examples = [
        Example(part, place, seed, rules[seed % len(rules)], draw_crops(np.random.default_rng(seed), part, steps))
        for place, part in enumerate(parts)
        for seed in seeds
    ]
    found: dict[tuple[int, int], Estimate] = {}
    for each in rules:
        alike = [example for example in examples if example.rules == each]
        for first in range(0, len(alike), at_once()):
            group = alike[first : first + at_once()]
            for example, kernel, losses in zip(group, *_run(group, each, every, progress), strict=False):
                found[example.place, example.seed] = Estimate(example.seed, kernel, losses)
    return [[found[place, seed] for seed in seeds] for place in range(len(photos))]


def check_photo(photo: np.ndarray) -> None:
    """Raise UserError unless the kernel of `photo` (H, W, 3) in [0, 1] can be estimated."""
    draw_crops(np.random.default_rng(0), usable_part(photo), 1)


def at_once() -> int:
    """Return how many runs, photos times seeds, go in one program."""
    return jax.local_device_count() * (1 if jax.default_backend() == "cpu" else MOST_ON_A_GPU)


def combine(estimates: Sequence[Estimate], scale: int) -> np.ndarray:
    """Return the finished kernel (k, k) of a photo from its `estimates`: that of the mean of those that came to one.

    Raises UserError where none did.
    """
    largest = max(estimate.kernel.sum() for estimate in estimates)
    least = LEAST_SUM * largest if largest > 0 else -np.inf  # at the start of a run sums are next to 0, of any sign
    kernels = [estimate.kernel for estimate in estimates if estimate.kernel.sum() >= least]
    if len(estimates[0].losses) >= SETTLED and largest < LEAST_SUM:
        seeds = ", ".join(str(estimate.seed) for estimate in estimates)
        raise UserError(f"no kernel was found with the seeds {seeds}; try others, or more: --seed, --seeds")
    return finish(np.mean(kernels, axis=0), scale)


def rgb_photo(photo: Any) -> np.ndarray:
    """Return a photo of any kind, see `estimate_kernel`, as float32 (H, W, 3) in [0, 1] without alpha."""
    if isinstance(photo, str | os.PathLike):
        photo = read_pixels(photo)
    photo = np.asarray(photo)  # also of PIL's images
    check_array(photo)
    colours = (
        photo[..., :3] if photo.ndim == 3 and photo.shape[-1] > 2 else photo.reshape(*photo.shape[:2], -1)[..., :1]
    )
    levels = np.iinfo(photo.dtype).max if np.issubdtype(photo.dtype, np.integer) else 1
    return np.broadcast_to(colours.astype(np.float32) / levels, (*photo.shape[:2], 3))


def check_scale(scale: int) -> None:
    """Raise UserError for a scale that KernelGAN has no kernels for."""
    if scale not in SCALES:
        raise UserError(f"scale={scale}: KernelGAN estimates kernels for the scales 2 and 4; choose one")


def _run(group: list[Example], rules: Fidelity, every: int, progress: Progress | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the raw kernels (n, 13, 13) and the losses (n, steps, 3) of `group`, and of what fills up the devices.

    A single run has one device, whose products then use all cores.
    """
    devices = jax.local_devices()[: len(group)]
    filled = group + group[:1] * (-len(group) % len(devices))

    spread = functools.partial(meshes.spread, count=len(devices))
    begin, advance = _programs(tuple(devices), rules)
    keys = [jax.random.key_data(jax.random.key(example.seed)) for example in filled]
    state = begin(spread(keys), spread(_padded_planes([example.photo for example in filled])))
    corners = [spread(kind) for kind in zip(*(example.corners for example in filled), strict=True)]
    steps, losses = corners[0].shape[2], 0
    for last in [*range(every, steps, every), steps]:
        state, told = advance(state, corners, spread([np.int32(last)] * len(filled)))
        losses += np.asarray(told)
        if progress is not None:
            progress(last, _by_photo(group, state))
    return np.asarray(state.kernel).reshape(len(filled), *state.kernel.shape[2:]), np.reshape(losses, (-1, steps, 3))


def _by_photo(group: list[Example], state: State) -> dict[int, np.ndarray]:
    """Return the mean kernel (13, 13) of each photo's runs in `group`, by the photo's place."""
    kernels = np.asarray(state.kernel).reshape(-1, *state.kernel.shape[2:])
    places = [example.place for example in group]
    chosen = {place: [i for i, other in enumerate(places) if other == place] for place in places}
    return {place: kernels[rows].mean(axis=0) for place, rows in chosen.items()}


@functools.lru_cache(maxsize=8)
def _programs(devices: tuple[Any, ...], rules: Fidelity) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return `start` and `train` for examples (devices, share, ...). A share of 1 is no batch."""
    begin = map_examples(lambda key, photo: start(jax.random.wrap_key_data(key), photo), devices)
    return begin, map_examples(functools.partial(train, fidelity=rules), devices)


def _padded_planes(photos: Sequence[np.ndarray]) -> np.ndarray:
    """Return `photos` (H, W, 3) in [0, 1] as planes (n, 3, H', W') in [-1, 1], in frames of one size.

    The sides are rounded up to 2^n or 1.5 * 2^n, so that few sizes are ever compiled for. No crop reaches the rest.
    """
    height, width = (_rung(max(photo.shape[axis] for photo in photos)) for axis in range(2))
    planes = np.zeros((len(photos), 3, height, width), np.float32)
    for frame, photo in zip(planes, photos, strict=True):
        frame[:, : photo.shape[0], : photo.shape[1]] = 2 * photo.transpose(2, 0, 1) - 1
    return planes


def _rung(side: int) -> int:
    return next(rung for n in range(6, 64) for rung in (2**n, 3 * 2 ** (n - 1)) if rung >= side)
