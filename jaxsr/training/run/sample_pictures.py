"""Pictures of what a network makes of validation photos: panels side by side, each labelled with its PSNR."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jaxsr.evaluation.pairs import Pair
from jaxsr.evaluation.scores import Row
from jaxsr.imaging.patches import center_crop
from jaxsr.imaging.pixels import to_levels, to_rgb

PANEL = 320  # largest side of a panel in pixels
GAP = 6  # between panels, and around labels
FONT_SIZE = 14
MAX_NAME = 40  # characters
BACKGROUND, TITLE_COLOUR, LABEL_COLOUR = (24, 24, 24), (255, 255, 255), (200, 200, 200)


class Sample(NamedTuple):
    """A pair, what the network restored of it (H, W, C) in [0, 1], not clipped, and the scores of the whole photo."""

    pair: Pair
    restored: np.ndarray
    scores: Row


def sample_picture(samples: Sequence[Sample], model: str, protocol: str) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 with a row for each sample: enlarged or blurred input, restored, HR.

    Shown are the middles of all three, pixel by pixel. A strip above each row has the photo's name, and above each
    panel what it is: bicubic or the blurred input, `model`, HR. PSNR is that of the whole photo under `protocol`.
    """
    side = min(PANEL, *(length for sample in samples for length in sample.pair.hr_levels.shape[:2]))
    font = ImageFont.load_default(size=FONT_SIZE)
    texts = [(_title(sample, side, protocol), _labels(sample, model)) for sample in samples]
    column = max(side, *(math.ceil(font.getlength(label)) for _, labels in texts for label in labels))
    width = max(3 * column + 2 * GAP, *(math.ceil(font.getlength(title)) for title, _ in texts), 0)
    line = math.ceil(font.getbbox("Ag")[3])
    strip = 2 * line + 3 * GAP
    picture = Image.new("RGB", (width + 2 * GAP, len(samples) * (strip + side) + GAP), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    for number, (sample, (title, labels)) in enumerate(zip(samples, texts, strict=True)):
        top = number * (strip + side)
        draw.text((GAP, top + GAP), title, TITLE_COLOUR, font)
        for place, (label, panel) in enumerate(zip(labels, _panels(sample, side), strict=True)):
            left = GAP + place * (column + GAP)
            draw.text((left, top + line + 2 * GAP), label, LABEL_COLOUR, font)
            picture.paste(Image.fromarray(panel), (left, top + strip))
    return np.asarray(picture)


def _panels(sample: Sample, side: int) -> list[np.ndarray]:
    """Return the middles of the three photos (side, side, 3) uint8."""
    photos = (sample.pair.enlarged, sample.restored, sample.pair.hr)
    return [to_levels(to_rgb(center_crop(photo, side, side))) for photo in photos]


def _title(sample: Sample, side: int, protocol: str) -> str:
    height, width = sample.pair.hr_levels.shape[:2]
    name = " ".join(sample.pair.name.split())[:MAX_NAME]  # a file's name can have line breaks
    return f"{name}: middle {side} x {side} of {width} x {height}; PSNR of the whole, {protocol}"


def _labels(sample: Sample, model: str) -> tuple[str, str, str]:
    given, sharp = ("bicubic", "HR") if sample.pair.scale > 1 else ("blurred input", "sharp")
    scores = sample.scores
    return f"{given}  {scores.baseline['psnr']:.2f} dB", f"{model}  {scores.scores['psnr']:.2f} dB", sharp
