"""The protocols under which published tables were made: what is compared, rounded and cut before PSNR and SSIM."""

import dataclasses

import numpy as np

from jaxsr.imaging.color import full_range_luma, luma, round_to_levels
from jaxsr.imaging.patches import shave
from jaxsr.imaging.pixels import to_levels
from jaxsr.metrics.image_quality import check_shapes, psnr, ssim

FULL_RANGE, WHOLE = "Y of JPEG (BT.601 in full range)", "the whole photo"


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a score was made. It is printed and saved with every number, because numbers of two protocols differ.

    Attributes:
        name: a row of PROTOCOLS.
        channel: what is compared: luma or RGB.
        rounding: what is rounded to 8 bits.
        border: which pixels are left out.
        resizer: how the LR photo was made.
        ssim: whose SSIM it is, and its window.
    """

    name: str
    channel: str
    rounding: str
    border: str = "scale pixels cut from each side"
    resizer: str = "MATLAB bicubic, unrounded, symmetric border"
    ssim: str = "Wang, 11x11 Gaussian, valid"

    def images(self, restored: np.ndarray, hr: np.ndarray, luma_only: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the two arrays (H, W, C) in [0, 1] that this protocol compares.

        `restored` is a photo before rounding, `hr` (float64) holds 8-bit levels. `luma_only` says that a network made
        the luma alone: under y8 its luma is then rounded without a detour over 8-bit RGB.
        """
        if self.name == "y8" and luma_only:
            return round_to_levels(luma(restored.astype(np.float64))), round_to_levels(luma(hr))
        restored = to_levels(restored) / 255  # the very levels that are saved, halves as float32 rounds them
        if self.channel == "RGB":
            return restored, hr
        if self.channel == FULL_RANGE:
            return full_range_luma(restored), full_range_luma(hr)
        restored, hr = luma(restored), luma(hr)
        return (round_to_levels(restored), round_to_levels(hr)) if self.name == "y8" else (restored, hr)

    def score(self, restored: np.ndarray, hr: np.ndarray, *, scale: int, luma_only: bool) -> dict[str, float]:
        """Return {"psnr": dB, "ssim": index} of a restored photo (H, W, C) against the HR photo of that shape."""
        check_shapes(restored, hr)
        image, reference = self.images(restored, hr.astype(np.float64), luma_only)
        border = 0 if self.border == WHOLE else cut_pixels(scale)
        image, reference = (shave(x, border) for x in (image, reference))
        return {"psnr": float(psnr(image, reference)), "ssim": float(ssim(image, reference))}


PROTOCOLS = {
    "y8": Protocol("y8", "Y of BT.601", "luma rounded to 8 bits (SRCNN, VDSR, SelfExSR)"),
    "y": Protocol("y", "Y of BT.601", "RGB rounded to 8 bits, its luma not (LapSRN, RDN)"),
    "y-full": Protocol("y-full", FULL_RANGE, "RGB rounded to 8 bits, its luma not (bicubic in IKC and DAN)", WHOLE),
    "rgb": Protocol("rgb", "RGB", "RGB rounded to 8 bits"),
}


def cut_pixels(scale: int) -> int:
    """Return how many pixels a protocol cuts from each side; deblurring, of scale 1, is scored on the whole photo."""
    return scale if scale > 1 else 0
