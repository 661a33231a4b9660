"""The colour of transparent pixels, which nobody sees until a photo is enlarged."""

import numpy as np


def fill_transparent(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Return `pixels` (H, W, C) whose colours where `alpha` (H, W, 1) is 0 are those of visible pixels nearby.

    Files have any colour there, often black, which an enlargement would mix into visible pixels: a dark fringe. Visible
    pixels stay as they are. The colours come from pyramids of means weighted by alpha. Without transparent pixels, or
    without visible ones, `pixels` itself is returned.
    """
    if alpha is None or alpha.min() > 0 or alpha.max() == 0:
        return pixels
    hidden = alpha[..., 0] == 0
    filled = pixels.copy()
    means = _means(pixels, alpha)[np.nonzero(hidden)[0] // 2, np.nonzero(hidden)[1] // 2]
    filled[hidden] = means if np.issubdtype(pixels.dtype, np.floating) else np.rint(means)
    return filled


def _means(pixels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the means (ceil(H / 2), ceil(W / 2), C) of 2 x 2 `pixels` by `weights`; where all are 0, coarser means."""
    sums = _sums_of_four(weights.astype(np.float32))
    means = _sums_of_four(pixels * weights.astype(np.float32)) / np.maximum(sums, 1e-30)
    hidden = sums[..., 0] == 0
    if hidden.any():
        rows, columns = np.nonzero(hidden)
        means[hidden] = _means(means, sums)[rows // 2, columns // 2]
    return means


def _sums_of_four(values: np.ndarray) -> np.ndarray:
    """Return the sums (ceil(H / 2), ceil(W / 2), C) of 2 x 2 `values`; beyond the border are zeros."""
    height, width = values.shape[:2]
    even = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    rows = even[0::2] + even[1::2]
    return rows[:, 0::2] + rows[:, 1::2]
