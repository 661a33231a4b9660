"""PSNR, Wang SSIM, and the protocols under which published tables were made."""

import dataclasses

import numpy as np
from scipy.ndimage import correlate1d

from jaxsr.imaging.color import luma, round_to_levels
from jaxsr.imaging.patches import shave
from jaxsr.support.errors import UserError


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """Return 10 log10(1 / MSE) in dB for two arrays of one shape in [0, 1]; infinite when they are equal."""
    _check_shapes(image, truth)
    error = np.mean((image.astype(np.float64) - truth.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the SSIM of Wang et al. (2004) of two images (H, W, C) in [0, 1], mean over the channels.

    11x11 Gaussian window with sigma 1.5, K1 = 0.01, K2 = 0.03, valid positions only, biased covariance.
    Raises UserError for images under 11 pixels, which have no valid position.
    """
    _check_shapes(image, truth)
    if min(image.shape[:2]) < 11:
        raise UserError(f"SSIM needs at least 11x11 pixels after the border is cut; got {image.shape[:2]}")
    x, y = image.astype(np.float64), truth.astype(np.float64)
    mean_x, mean_y = _gaussian(x), _gaussian(y)
    var_x, var_y = _gaussian(x * x) - mean_x**2, _gaussian(y * y) - mean_y**2
    covariance = _gaussian(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    index = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float(np.mean(index / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))))


def _gaussian(image: np.ndarray) -> np.ndarray:
    """Return the 11x11 Gaussian local mean at valid positions; separable, so two passes of 11 taps."""
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    rows = correlate1d(image, window / window.sum(), axis=0)[5:-5]
    return correlate1d(rows, window / window.sum(), axis=1)[:, 5:-5]


def _check_shapes(image: np.ndarray, truth: np.ndarray) -> None:
    if image.shape != truth.shape:
        raise UserError(f"cannot compare shapes {image.shape} and {truth.shape}; they must be equal")


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a score was made. It is printed and saved with every number, because numbers of two protocols differ."""

    name: str
    channel: str
    rounding: str
    border: str = "scale pixels cut from each side"
    resizer: str = "MATLAB bicubic, unrounded, symmetric border"
    ssim: str = "Wang, 11x11 Gaussian, valid"

    def images(self, restored: np.ndarray, truth: np.ndarray, luma_only: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the two arrays (H, W, C) in [0, 1] that this protocol compares.

        `restored` is a photo before rounding; `truth` holds 8-bit levels. `luma_only` says that a network made
        the luma alone: under y8 its luma is then rounded without a detour over 8-bit RGB.
        """
        if self.name == "y8" and luma_only:
            return round_to_levels(luma(restored)), round_to_levels(luma(truth))
        restored = round_to_levels(restored)
        if self.channel == "RGB":
            return restored, truth
        restored, truth = luma(restored), luma(truth)
        return (round_to_levels(restored), round_to_levels(truth)) if self.name == "y8" else (restored, truth)

    def score(self, restored: np.ndarray, truth: np.ndarray, *, scale: int, luma_only: bool) -> dict[str, float]:
        """Return {"psnr": dB, "ssim": index} of a restored photo (H, W, C) against its truth of that shape."""
        _check_shapes(restored, truth)
        image, reference = self.images(restored.astype(np.float64), truth.astype(np.float64), luma_only)
        image, reference = (shave(x, cut_pixels(scale)) for x in (image, reference))
        return {"psnr": psnr(image, reference), "ssim": ssim(image, reference)}


PROTOCOLS = {
    "y8": Protocol("y8", "Y of BT.601", "luma rounded to 8 bits (SRCNN, VDSR, SelfExSR)"),
    "y": Protocol("y", "Y of BT.601", "RGB rounded to 8 bits, its luma not (LapSRN, RDN)"),
    "rgb": Protocol("rgb", "RGB", "RGB rounded to 8 bits"),
}


def cut_pixels(scale: int) -> int:
    """Return how many pixels a protocol cuts from each side; deblurring, of scale 1, is scored on the whole photo."""
    return scale if scale > 1 else 0
