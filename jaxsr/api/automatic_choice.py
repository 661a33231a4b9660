"""`--model=auto`: which installed model restores a photo, and why, by the scale and what the photo is like."""

import dataclasses
import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax

from jaxsr.data.codecs.jpeg_quality import jpeg_quality
from jaxsr.data.images import Photo, photo_size
from jaxsr.engines.runtimes import cores
from jaxsr.models import MODELS
from jaxsr.restoration.options import PhotoLike
from jaxsr.support.errors import UserError
from jaxsr.support.types import Json
from jaxsr.weights.shipped_weights import name_of, scores_at_scale, shipped_cards

AUTO, DEFAULT_SCALE, LAST = "auto", 2, "bicubic"
DAMAGED = 50  # JPEG quality below which a photo counts as damaged; down to it `lapsrn` has the higher PSNR on Set14
GIGAFLOPS_PER_SECOND = {"cpu": 25.0}  # of a core, with care: an EPYC without AVX-512 does 70; others accelerate
ACCELERATOR_GIGAFLOPS_PER_SECOND = 5_000.0  # of a device
PATIENCE = 60.0  # seconds for a photo, or for a hundred frames of a video
VIDEO_PIXELS = 100 * 1920 * 1080

# By scale, from the best in the papers on: the order of weights without a score. Bicubic ends each list.
PREFERENCES: dict[int, tuple[str, ...]] = {
    2: ("rdn", "drcn", "lapsrn", "vdsr", "srresnet", "mslapsrn", "fsrcnn", "srcnn", "espcn"),
    3: ("rdn", "drcn", "lapsrn", "vdsr", "mslapsrn", "fsrcnn", "srcnn", "espcn"),
    4: ("rdn", "srresnet", "srdensenet", "lapsrn", "mslapsrn", "drcn", "vdsr", "fsrcnn", "srcnn", "espcn"),
    8: ("lapsrn", "mslapsrn"),
}
FOR_DAMAGED = ("real",)  # before the others, for photos that compression has damaged
IN_COLOUR = ("real", "rdn", "srresnet")  # trained on RGB: no advantage on grey photos, and more work

# Thousand operations for an output pixel of the weights that ship, by which slow ones are left out on slow devices.
KILOFLOPS = {
    **{"espcn-x2": 10.6, "espcn-x3": 5.0, "espcn-x4": 3.1, "fsrcnn-x2": 7.6, "fsrcnn-x3": 3.2, "fsrcnn-x4": 2.2},
    **{"srcnn-x2": 122, "srcnn-x3": 120, "srcnn-x4": 118, "vdsr-x2": 1_330, "vdsr-x3": 1_330, "vdsr-x4": 1_330},
    **{"lapsrn-x2": 218, "lapsrn-x3": 486, "lapsrn-x4": 273, "lapsrn-x8": 166},
    **{"mslapsrn-x2": 495, "mslapsrn-x3": 1_101, "mslapsrn-x4": 619, "mslapsrn-x8": 649},
    **{"drcn-x3": 1_413, "rdn-x2": 1_107, "rdn-x4": 233, "srdensenet-x4": 132, "srresnet-x4": 277},
    **{"real-x2": 185, "real-x4": 277},
}


@dataclasses.dataclass(frozen=True)
class PhotoFacts:
    """What decides: the `scale` asked, the LR photo's `pixels`, whether it is `grey`, or `damaged` by compression.

    `grey` is None where that is not known.
    """

    scale: int = DEFAULT_SCALE
    pixels: int = 0
    grey: bool | None = False
    damaged: bool = False


@dataclasses.dataclass(frozen=True)
class DeviceFacts:
    """The `platform`, such as "cpu" or "gpu", and how many devices, or cores of a CPU, share a photo's tiles."""

    platform: str = "cpu"
    count: int = 1


@dataclasses.dataclass(frozen=True)
class ModelChoice:
    """The name of the chosen `model`, the `scale`, and the `reason` in one line."""

    model: str
    scale: int
    reason: str


def choose_model(facts: PhotoFacts, devices: DeviceFacts, installed: Mapping[str, float]) -> ModelChoice:
    """Return the best model of PREFERENCES that is `installed` and fast enough, else the fastest, else bicubic.

    `installed` has the PSNR on Set5 of the weights of each name, such as "rdn-x2"; 0 where nobody knows it.
    Raises UserError for a scale that no model has, bicubic included.
    """
    known = MODELS[LAST].scales
    if not isinstance(facts.scale, numbers.Integral) or facts.scale not in known:
        raise UserError(f"no model enlarges {facts.scale!r} times; choose one of: {', '.join(map(str, known))}")
    candidates = _candidates(facts, installed)
    quick = [name for name in candidates if seconds_of(name, facts, devices) <= PATIENCE]
    if not candidates:
        return ModelChoice(LAST, facts.scale, f"auto: bicubic, for no weights are installed for x{facts.scale}")
    chosen = quick[0] if quick else min(candidates, key=lambda name: seconds_of(name, facts, devices))
    return ModelChoice(chosen, facts.scale, _reason(chosen, candidates, facts, devices))


def _candidates(facts: PhotoFacts, installed: Mapping[str, float]) -> list[str]:
    """Return the names of the weights that are installed for the scale, the best first."""
    systems = PREFERENCES.get(facts.scale, ())
    systems = (*FOR_DAMAGED, *systems) if facts.damaged else systems

    def rank(system: str) -> tuple[bool, bool, float]:
        in_vain = facts.grey is True and system in IN_COLOUR
        return system not in FOR_DAMAGED, in_vain, -installed[name_of(system, facts.scale)]

    there = [system for system in systems if name_of(system, facts.scale) in installed]
    return [name_of(system, facts.scale) for system in sorted(there, key=rank)]


def seconds_of(name: str, facts: PhotoFacts, devices: DeviceFacts) -> float:
    """Return roughly how long the weights `name` take for the photo."""
    work = KILOFLOPS[name] * facts.pixels * facts.scale**2 / 1e6
    return work / GIGAFLOPS_PER_SECOND.get(devices.platform, ACCELERATOR_GIGAFLOPS_PER_SECOND) / devices.count


def _reason(chosen: str, candidates: Sequence[str], facts: PhotoFacts, devices: DeviceFacts) -> str:
    """Return the line that says what was chosen, for what, and which better ones would take too long."""
    kind = {True: "a grey photo", False: "a photo in colour", None: "a photo"}[facts.grey]
    kind += " damaged by compression" if facts.damaged else ""
    part = f"{devices.platform} {'core' if devices.platform == 'cpu' else 'device'}"
    machine = f"{devices.count} {part}{'s' if devices.count > 1 else ''}"
    line = f"auto: {chosen}, the preferred of the installed models for {kind} at x{facts.scale} on {machine}"
    if slower := candidates[: candidates.index(chosen)]:
        size = f"{facts.pixels / 1e6:.1f} megapixels"
        line += f" ({', '.join(slower)} would take over {PATIENCE:.0f} seconds for {size})"
    return line


def choose_for_photo(photo: PhotoLike, decoded: Photo, scale: int | None) -> ModelChoice:
    """Return the choice for `photo` and what it was `decoded` to, with the weights and devices that there are."""
    height, width, channels = decoded.pixels.shape
    return _choose_here(
        PhotoFacts(DEFAULT_SCALE if scale is None else scale, height * width, channels == 1, is_damaged(photo))
    )


def choose_for_files(photos: Sequence[Path], videos: Sequence[Path], scale: int | None) -> ModelChoice:
    """Return the one choice for all files: by the largest photo, and damaged where most are.

    Only sizes are read, so grey photos get no model of their own.
    """
    sizes = [photo_size(path) or (0, 0) for path in photos]
    pixels = max([VIDEO_PIXELS] if videos else [height * width for height, width in sizes], default=0)
    damaged = 2 * sum(map(is_damaged, photos)) > len(photos)
    return _choose_here(PhotoFacts(DEFAULT_SCALE if scale is None else scale, pixels, grey=None, damaged=damaged))


def is_damaged(photo: object) -> bool:
    """Return whether a file, or a PIL image of one, is a JPEG of a quality under DAMAGED."""
    quality = jpeg_quality(photo)
    return quality is not None and quality < DAMAGED


def _choose_here(facts: PhotoFacts) -> ModelChoice:
    scores = {name: _set5_score(card) for name, card in shipped_cards().items()}
    platform = jax.default_backend()
    count = cores() if platform == "cpu" else jax.local_device_count()
    return choose_model(facts, DeviceFacts(platform, count), scores)


def _set5_score(card: Mapping[str, Json]) -> float:
    """Return the PSNR of luma on Set5 that a weight file's `card` has for its scale, or 0.

    Rounded luma or not (y8 or y): that moves it by less than 0.1 dB.
    """
    for score in scores_at_scale(card):
        if score["data"] == "Set5" and score["protocol"]["name"] in ("y8", "y"):
            return score["mean"]["psnr"]
    return 0.0
