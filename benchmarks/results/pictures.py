"""Pictures of the page: one crop of a bundled photo, restored by all systems of a scale, side by side and labelled."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.results.contestants import OURS, PUBLISHED, Contestant, loaded_name
from benchmarks.results.photo_sets import is_scored_on
from jaxsr.data.samples import sample_photos
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.pairs import Pair, make_pairs
from jaxsr.imaging.patches import center_crop
from jaxsr.imaging.pixels import to_8_bit, to_levels
from jaxsr.metrics.protocols import PROTOCOLS
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import restore_pixels
from jaxsr.support.errors import FAILURES
from jaxsr.support.files import written_whole
from jaxsr.support.types import Json

PHOTO, TOP, LEFT = "chelsea", 72, 96  # of the bundled samples, CC0; the crop holds an eye
CROP, MARGIN = 96, 32  # pixels of the HR photo that are shown, and around them
ZOOM, COLUMNS, LABEL, GAP = 2, 5, 20, 6  # how it is laid out, in pixels of the picture
PROTOCOL = PROTOCOLS["y"]


class Picture(NamedTuple):
    """A picture to draw: its file, how its LR photo is made, and the systems that are for such photos."""

    stem: str
    scale: int
    degradation: str
    systems: Sequence[str]
    note: str


BLIND = ("danv1", "danv2")
PICTURES = (
    *(Picture(f"results-x{scale}", scale, "bicubic", (), "LR photo by bicubic.") for scale in (2, 4)),
    Picture("results-blind-x4", 4, "isotropic", BLIND, "LR photo blurred by a Gaussian kernel, then by bicubic."),
    Picture("results-real-x4", 4, "real", ("fsrcnn", "real"), "LR photo by degradation `real`."),
)


def draw_pictures(
    contestants: Sequence[Contestant], folder: Path, earlier: Sequence[dict[str, Json]] = ()
) -> list[dict[str, Json]]:
    """Write the pictures to `folder`, and return what the record says of each; none without weights.

    Those that `earlier` runs drew of the same weights are kept.
    """
    made, known = [], {(picture["file"], picture["digest"]): picture for picture in earlier}
    for picture in PICTURES:
        chosen = _shown_in(picture, contestants)
        file = folder / f"{picture.stem}.png"
        digest = hashlib.sha256(repr([(name, each.digest) for name, each in chosen.items()]).encode()).hexdigest()
        if chosen and (file.name, digest) in known and file.is_file():
            made.append(known[file.name, digest])
        elif chosen:
            made.append({**_draw(picture, chosen, file), "digest": digest})
    return made


def _shown_in(picture: Picture, contestants: Sequence[Contestant]) -> dict[str, Contestant]:
    """Return the own weights for a picture by name, and published ones of systems that have no own."""

    def belongs(contestant: Contestant) -> bool:
        system = contestant.system
        wanted = system in picture.systems if picture.systems else is_scored_on(system, "Set5")
        return wanted and picture.scale in contestant.scales

    ours = [each for each in contestants if each.kind == OURS and belongs(each)]
    systems = {each.system for each in ours}
    others = {each.system: each for each in contestants if each.kind == PUBLISHED and belongs(each)}
    published = {f"{name} (published)": each for name, each in others.items() if name not in systems}
    return {loaded_name(each.system, each.name, picture.scale): each for each in ours} | published


def _draw(picture: Picture, contestants: Mapping[str, Contestant], file: Path) -> dict[str, Json]:
    pair, crops, scores = _pair(picture), {}, {}
    crops["original"] = _shown(pair.hr)
    for name, restored in _restored(pair, contestants, picture.scale).items():
        crops[name] = _shown(restored)
        scores[name] = PROTOCOL.score(crops[name], crops["original"], scale=1, luma_only=False)["psnr"]
    labels = [name if name not in scores else f"{name}  {scores[name]:.2f} dB" for name in crops]
    with written_whole(file) as temporary:
        side_by_side(list(crops.values()), labels).save(temporary, optimize=True)
    title = f"{PHOTO} x{picture.scale}, with the PSNR on Y of the part shown"
    return {"file": file.name, "title": title, "note": picture.note, "scale": picture.scale, "psnr": scores}


def _pair(picture: Picture) -> Pair:
    side = CROP + 2 * MARGIN
    pixels = sample_photos("validation")[PHOTO][TOP : TOP + side, LEFT : LEFT + side]
    return make_pairs(PHOTO, pixels, picture.scale, PairOptions(picture.degradation))[0]


def _restored(pair: Pair, contestants: Mapping[str, Contestant], scale: int) -> dict[str, np.ndarray]:
    """Return the photo restored by each, by name, without those that fail."""
    photos = {"bicubic": pair.enlarged}
    for name, contestant in contestants.items():
        model = contestant.at_scale(scale)
        try:
            assert model is not None
            photos[name] = restore_pixels(model, pair.lr, RestoreOptions(quantize=False))[0]
        except FAILURES:
            continue  # the tables say why
    return photos


def _shown(photo: np.ndarray) -> np.ndarray:
    return np.clip(center_crop(photo, CROP, CROP), 0, 1).astype(np.float64)


def side_by_side(crops: Sequence[np.ndarray], labels: Sequence[str]) -> Image.Image:
    """Return `crops` (H, W, 3) in [0, 1], each enlarged ZOOM times by repetition, with its label above it."""
    height, width = (size * ZOOM for size in crops[0].shape[:2])
    columns = min(COLUMNS, len(crops))
    rows = -(-len(crops) // columns)
    size = (columns * (width + GAP) - GAP, rows * (height + LABEL + GAP) - GAP)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for i, (crop, label) in enumerate(zip(crops, labels, strict=True)):
        left, top = (i % columns) * (width + GAP), (i // columns) * (height + LABEL + GAP)
        draw.text((left + 2, top + 2), label, fill="black", font=font)
        levels = to_8_bit(to_levels(crop)).repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
        sheet.paste(Image.fromarray(levels), (left, top + LABEL))
    return sheet
