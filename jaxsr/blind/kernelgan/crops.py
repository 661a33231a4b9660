"""Which crops of a photo KernelGAN trains on: places with edges and texture are more probable.

Bell-Kligler et al., NeurIPS 2019, section 4, with the published code's constants. Computed on the host in float64;
photos are (H, W, 3) in [0, 1].
"""

import numpy as np
import scipy

from jaxsr.imaging.resize import resize
from jaxsr.support.errors import UserError

GENERATOR_CROP, DISCRIMINATOR_CROP = 64, 26
PHOTO_BORDER = 10  # pixels cut from each side before anything else, also where the published code has --real
GRADIENT_BORDER = 5  # pixels from each side where gradients count as 0
STRONG_QUANTILE = 0.97  # gradients above this quantile are strong
GREY = np.array([0.299, 0.587, 0.114])
SMALLEST_SIDE = GENERATOR_CROP + 2 + 2 * PHOTO_BORDER


def usable_part(photo: np.ndarray) -> np.ndarray:
    """Return `photo` (H, W, 3) without its border, cut to even sides; raises UserError under 86 x 86 pixels."""
    height, width = photo.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise UserError(
            f"a photo of {width}x{height} pixels is too small to estimate its kernel; "
            f"give one of at least {SMALLEST_SIDE}x{SMALLEST_SIDE}"
        )
    inner = photo[PHOTO_BORDER:-PHOTO_BORDER, PHOTO_BORDER:-PHOTO_BORDER]
    return inner[: inner.shape[0] // 2 * 2, : inner.shape[1] // 2 * 2]


def gradient_map(photo: np.ndarray) -> np.ndarray:
    """Return how much detail there is around each pixel of `photo` (H, W, 3): (H, W), of mean 1.

    Where vertical gradients are strong, where horizontal ones are, and the gradient's magnitude contribute equally.
    Raises UserError for a photo without gradients.
    """
    vertical, horizontal = np.gradient(photo @ GREY)
    magnitude = np.hypot(vertical, horizontal)
    parts = []
    for part in (np.abs(horizontal), np.abs(vertical), magnitude):
        inner = np.zeros_like(part)
        inside = (slice(GRADIENT_BORDER, -GRADIENT_BORDER),) * 2
        inner[inside] = part[inside]
        parts.append(inner)
    shares = [_strong(parts[0]), _strong(parts[1]), parts[2]]
    total = sum(share / share.sum() for share in shares if share.any())
    if not np.any(total):
        raise UserError("the photo is flat: without edges its kernel cannot be estimated; give one with detail")
    blurred = scipy.ndimage.uniform_filter(total, 5, mode="constant")
    return blurred / blurred.mean()


def _strong(gradient: np.ndarray) -> np.ndarray:
    """Return 1.0 where `gradient` is among its strongest 3 %."""
    return (gradient > np.sort(gradient, axis=None)[int(STRONG_QUANTILE * gradient.size)]).astype(np.float64)


def crop_probabilities(weights: np.ndarray, size: int) -> np.ndarray:
    """Return the probability (H, W) of each pixel being the centre of a crop of `size`, from `weights` (H, W).

    Raises UserError where all weight lies too near the border.
    """
    border = size // 2
    inside = (slice(border, -border),) * 2
    probabilities = np.zeros_like(weights)
    probabilities[inside] = scipy.ndimage.uniform_filter(weights, size // 2, mode="constant")[inside]
    total = probabilities.sum()
    if not total > 0:
        raise UserError("the photo is flat but for its border; give one with detail further inside")
    return np.maximum(probabilities, 0) / total


def generator_map(photo: np.ndarray) -> np.ndarray:
    """Return the gradient map (H, W) of the bicubic reduction of `photo` by 2, each value repeated as 2x2 pixels."""
    return gradient_map(resize(photo, 0.5)).repeat(2, axis=0).repeat(2, axis=1)


def draw_corners(rng: np.random.Generator, probabilities: np.ndarray, size: int, count: int) -> np.ndarray:
    """Return the even top left corners (count, 2), as (row, column), of crops of `size` with random centres."""
    sums = np.cumsum(probabilities, axis=None)
    drawn = np.searchsorted(sums, rng.random(count) * sums[-1], side="right")
    centres = np.stack(np.unravel_index(drawn, probabilities.shape), axis=1)
    corners = np.clip(centres - size // 2, 0, np.array(probabilities.shape) - size)
    return (corners - corners % 2).astype(np.int32)


def draw_crops(rng: np.random.Generator, photo: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners (count, 2) of the generator's crops of `photo` and of the discriminator's."""
    of_generator = crop_probabilities(generator_map(photo), GENERATOR_CROP)
    of_discriminator = crop_probabilities(gradient_map(photo), DISCRIMINATOR_CROP)
    return (
        draw_corners(rng, of_generator, GENERATOR_CROP, count),
        draw_corners(rng, of_discriminator, DISCRIMINATOR_CROP, count),
    )
