"""`--model=auto`: which installed model restores a photo, and why, by the scale and what the photo is like."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax

from jaxsr.data.codecs.jpeg_quality import jpeg_quality
from jaxsr.data.images import Photo, photo_size
from jaxsr.models import MODELS
from jaxsr.restoration.options import PhotoLike
from jaxsr.support.errors import UserError
from jaxsr.support.types import Json
from jaxsr.weights.shipped_weights import name_of, scores_at_scale, shipped_cards

AUTO, DEFAULT_SCALE, LAST = "auto", 2, "bicubic"
DAMAGED = 50  # JPEG quality below which a photo counts as damaged; down to it `lapsrn` has the higher PSNR on Set14
GIGAFLOPS_PER_SECOND = {"cpu": 30.0}  # of a device, roughly; others are taken for accelerators
ACCELERATOR_GIGAFLOPS_PER_SECOND = 5_000.0
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

# Thousand operations for an output pixel, of the papers' widths, by which slow models are left out on slow devices.
KILOFLOPS = {
    **{"rdn": 11_000, "drcn": 20_000, "vdsr": 1_330, "srdensenet": 1_000, "mslapsrn": 950, "srresnet": 700},
    **{"real": 700, "lapsrn": 250, "srcnn": 115, "fsrcnn": 20, "espcn": 20},
}


@dataclasses.dataclass(frozen=True)
class PhotoFacts:
    """What decides: the `scale` asked, the LR photo's `pixels`, whether it is `grey`, or `damaged` by compression."""

    scale: int = DEFAULT_SCALE
    pixels: int = 0
    grey: bool = False
    damaged: bool = False


@dataclasses.dataclass(frozen=True)
class DeviceFacts:
    """The `platform`, such as "cpu" or "gpu", and how many devices a photo's tiles are shared among."""

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

    `installed` has the PSNR on Set5 of each weight file by its name, such as "vdsr" or "rdn-x2"; 0 where nobody knows.
    Raises UserError for a scale that no model has, bicubic included.
    """
    known = MODELS[LAST].scales
    if facts.scale not in known:
        raise UserError(f"no model enlarges {facts.scale} times; choose one of: {', '.join(map(str, known))}")
    candidates = _candidates(facts, installed)
    quick = [name for name in candidates if seconds_of(name, facts, devices) <= PATIENCE]
    if not candidates:
        return ModelChoice(LAST, facts.scale, f"auto: bicubic, for no weights are installed for x{facts.scale}")
    base = quick[0] if quick else min(candidates, key=lambda name: seconds_of(name, facts, devices))
    chosen = _installed_as(base, facts.scale, installed)
    assert chosen is not None  # a candidate
    return ModelChoice(chosen, facts.scale, _reason(chosen, base, candidates, facts, devices))


def _candidates(facts: PhotoFacts, installed: Mapping[str, float]) -> list[str]:
    """Return the systems that are installed for the scale, the best first."""
    names = PREFERENCES.get(facts.scale, ())
    names = (*FOR_DAMAGED, *names) if facts.damaged else names

    def rank(name: str) -> tuple[bool, bool, float]:
        return name not in FOR_DAMAGED, facts.grey and name in IN_COLOUR, -installed[there[name]]

    found = {name: _installed_as(name, facts.scale, installed) for name in names}
    there = {name: weights for name, weights in found.items() if weights is not None}
    return sorted(there, key=rank)


def _installed_as(name: str, scale: int, installed: Mapping[str, float]) -> str | None:
    """Return the name of the weights of the system `name` for `scale`, or None where there are none."""
    return next((weights for weights in (name_of(name, scale), name) if weights in installed), None)


def seconds_of(name: str, facts: PhotoFacts, devices: DeviceFacts) -> float:
    """Return roughly how long the system `name` takes for the photo."""
    work = KILOFLOPS[name] * facts.pixels * facts.scale**2 / 1e6
    return work / GIGAFLOPS_PER_SECOND.get(devices.platform, ACCELERATOR_GIGAFLOPS_PER_SECOND) / devices.count


def _reason(chosen: str, base: str, candidates: Sequence[str], facts: PhotoFacts, devices: DeviceFacts) -> str:
    """Return the line that says what was chosen, for what, and which better ones would take too long."""
    kind = "a grey photo" if facts.grey else "a photo in colour"
    kind += " damaged by compression" if facts.damaged else ""
    machine = f"{devices.count} {devices.platform} device{'s' if devices.count > 1 else ''}"
    line = f"auto: {chosen}, the preferred of the installed models for {kind} at x{facts.scale} on {machine}"
    if slower := candidates[: candidates.index(base)]:
        size = f"{facts.pixels / 1e6:.1f} megapixels"
        line += f" ({', '.join(slower)} would take over {PATIENCE:.0f} seconds for {size})"
    return line


def choose_for_photo(photo: PhotoLike, decoded: Photo, scale: int | None) -> ModelChoice:
    """Return the choice for `photo` and what it was `decoded` to, with the weights and devices that there are."""
    height, width, channels = decoded.pixels.shape
    return _choose_here(PhotoFacts(scale or DEFAULT_SCALE, height * width, channels == 1, is_damaged(photo)))


def choose_for_files(photos: Sequence[Path], videos: Sequence[Path], scale: int | None) -> ModelChoice:
    """Return the one choice for all files: by the largest photo, and damaged where most are.

    Only headers are read, so photos count as in colour.
    """
    sizes = [photo_size(path) or (0, 0) for path in photos]
    pixels = max([VIDEO_PIXELS] if videos else [height * width for height, width in sizes], default=0)
    damaged = 2 * sum(map(is_damaged, photos)) > len(photos)
    return _choose_here(PhotoFacts(scale or DEFAULT_SCALE, pixels, damaged=damaged))


def is_damaged(photo: object) -> bool:
    """Return whether a file, or a PIL image of one, is a JPEG of a quality under DAMAGED."""
    quality = jpeg_quality(photo)
    return quality is not None and quality < DAMAGED


def _choose_here(facts: PhotoFacts) -> ModelChoice:
    scores = {name: _set5_score(card) for name, card in shipped_cards().items()}
    return choose_model(facts, DeviceFacts(jax.default_backend(), jax.local_device_count()), scores)


def _set5_score(card: Mapping[str, Json]) -> float:
    """Return the PSNR of luma on Set5 that a weight file's `card` has for its scale, or 0.

    Rounded luma or not (y8 or y): that moves it by less than 0.1 dB.
    """
    for score in scores_at_scale(card):
        if score["data"] == "Set5" and score["protocol"]["name"] in ("y8", "y"):
            return score["mean"]["psnr"]
    return 0.0
