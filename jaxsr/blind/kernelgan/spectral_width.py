"""How wide the blur of a photo is by its spectrum: a check of KernelGAN's kernels that needs no training.

The power spectrum of a natural scene falls with frequency as a power law; a Gaussian blur makes it fall faster, and by
how much gives the blur's variance. Source of the law: Field, "Relations between the statistics of natural images and
the response properties of cortical cells", JOSA A 4, 1987. What it is worth is in benchmarks/README.md.
"""

import itertools
import math

import numpy as np

from jaxsr.blind.kernelgan.crops import GREY

TILE = 64  # pixels a side of what is transformed
BANDS = np.linspace(0.08, 0.4, 17)  # cycles per pixel: above, aliasing and noise count; below, tiles hold few cycles
EXPONENT = 2.4  # of natural photos' power spectra, about which the fitted exponent is held with weight 1
LARGEST_FACTOR = 2.0  # between the variances that a kernel has before and after


def spectral_variance(photo: np.ndarray) -> float:
    """Return the variance per axis, in squared pixels of `photo` (H, W, 3) in [0, 1], of the blur in its spectrum.

    That is v in log P(f) = a - b log f - 4 pi² v f², fitted to the mean power P of tiles with a Hann window. It is 0 or
    below where the photo has noise or no blur, NaN where it is flat or smaller than a tile.
    """
    grey = photo @ GREY
    if min(grey.shape) < TILE:
        return math.nan
    bands = (BANDS[:-1] + BANDS[1:]) / 2
    power = _power_of_bands(grey)
    if not power.min() > 0:
        return math.nan
    terms = np.stack([np.ones_like(bands), -np.log(bands), -4 * np.pi**2 * bands**2], axis=1)
    terms = np.vstack([terms, [0.0, 1.0, 0.0]])
    return float(np.linalg.lstsq(terms, np.append(np.log(power), EXPONENT), rcond=None)[0][2])


def kernel_variance(photo: np.ndarray, scale: int) -> float:
    """Return the variance per axis that KernelGAN's kernel of `photo` should have, in squared pixels of its own grid.

    At scale 4 that kernel is applied twice, first to a photo twice as large as `photo`: 4 + 1 times its variance is the
    blur's in pixels of the HR photo.
    """
    return spectral_variance(photo) * (scale**2 / 5 if scale == 4 else scale**2)


def _power_of_bands(grey: np.ndarray) -> np.ndarray:
    """Return the mean power of `grey` (H, W) in each of the bands of frequencies."""
    window = np.outer(np.hanning(TILE), np.hanning(TILE))
    power = np.zeros((TILE, TILE))
    for top in _starts(grey.shape[0]):
        for left in _starts(grey.shape[1]):
            tile = grey[top : top + TILE, left : left + TILE]
            power += np.abs(np.fft.fft2((tile - tile.mean()) * window)) ** 2
    frequencies = np.fft.fftfreq(TILE)
    radius = np.hypot(frequencies[:, None], frequencies)
    rings = itertools.pairwise(BANDS)
    return np.array([power[(radius >= low) & (radius < high)].mean() for low, high in rings])


def _starts(side: int) -> np.ndarray:
    """Return the first rows, or columns, of tiles that cover `side` pixels and overlap by half a tile or more."""
    return np.linspace(0, side - TILE, math.ceil(2 * side / TILE) - 1).astype(int)


def variance_factor(of_kernel: float, of_spectrum: float) -> float:
    """Return what to multiply the variance of a kernel by, where the photo's spectrum shows another one.

    That leads to the spectrum's variance where it is the smaller one, else to the geometric mean of both: to restore
    with too wide a kernel costs decibels, with too narrow a one tenths. The factor lies within [1/2, 2]; it is 1
    without a spectrum.
    """
    if not (np.isfinite(of_spectrum) and of_kernel > 0):
        return 1.0
    ratio = of_spectrum / of_kernel
    return float(np.clip(ratio if ratio < 1 else math.sqrt(ratio), 1 / LARGEST_FACTOR, LARGEST_FACTOR))
