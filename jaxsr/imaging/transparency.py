"""The colour of transparent pixels, which nobody sees until a photo is enlarged."""

from collections.abc import Sequence

import numpy as np

STRIP = 256  # rows that are worked on at a time, which keeps floats of a large photo out of memory


def fill_transparent(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Return `pixels` (H, W, C) whose colours where `alpha` (H, W, 1) is 0 are those of visible pixels nearby.

    Files have any colour there, often black, which an enlargement would mix into visible pixels: a dark fringe. Visible
    pixels stay as they are. The colours come from a pyramid of means weighted by alpha. Without transparent pixels, or
    without visible ones, `pixels` itself is returned.
    """
    if alpha is None or alpha.min() > 0 or alpha.max() == 0:
        return pixels
    strips = [slice(top, top + STRIP) for top in range(0, len(pixels), STRIP)]
    means = _means(*_weighted_sums(pixels, alpha, strips))
    filled = pixels.copy()
    for rows in strips:
        nearby = _twice(means[rows.start // 2 : rows.stop // 2], filled[rows].shape)
        if np.issubdtype(pixels.dtype, np.integer):
            nearby = np.rint(nearby, out=nearby)
        np.copyto(filled[rows], nearby, where=alpha[rows] == 0, casting="unsafe")
    return filled


def _weighted_sums(pixels: np.ndarray, weights: np.ndarray, strips: Sequence[slice]) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums (ceil(H / 2), ceil(W / 2), C) of 2 x 2 `pixels` times `weights`, and those of the weights."""
    sums = [_sums_of_four(pixels[rows] * weights[rows].astype(np.float32)) for rows in strips]
    return np.concatenate(sums), np.concatenate([_sums_of_four(weights[rows].astype(np.float32)) for rows in strips])


def _means(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the means (H, W, C) of weighted `sums`; where the `weights` are 0, those of pixels twice as large."""
    means = sums / np.maximum(weights, np.float32(1e-30))
    hidden = weights == 0
    if hidden.any():
        coarse = _means(_sums_of_four(sums), _sums_of_four(weights))
        np.copyto(means, _twice(coarse, means.shape), where=hidden)
    return means


def _twice(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return `values` enlarged twice by repetition, cropped to `shape`."""
    return values.repeat(2, axis=0)[: shape[0]].repeat(2, axis=1)[:, : shape[1]]


def _sums_of_four(values: np.ndarray) -> np.ndarray:
    """Return the sums (ceil(H / 2), ceil(W / 2), C) of 2 x 2 `values`; beyond the border are zeros."""
    height, width = values.shape[:2]
    even = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0))) if height % 2 or width % 2 else values
    rows = even[0::2] + even[1::2]
    return rows[:, 0::2] + rows[:, 1::2]
