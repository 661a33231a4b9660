"""NIQE as the paper and its software release compute it: a block and a sum after the other, in double precision.

Mittal, Soundararajan and Bovik, IEEE Signal Processing Letters 20(3), 2013; Lasmar, Stitou and Berthoumieu, ICIP 2009,
for the fit of an asymmetric generalized Gaussian.
"""

import numpy as np
from scipy.special import gamma

from tests.reference.resize import resize_line

SHAPES = np.arange(0.2, 10.001, 0.001)
RATIOS = gamma(2 / SHAPES) ** 2 / (gamma(1 / SHAPES) * gamma(3 / SHAPES))


def niqe(y, parameters, side=96):
    """Return NIQE of the luma `y` (H, W), levels of 8 bits, by the pristine model and window in `parameters`."""
    height, width = (size // side * side for size in y.shape)
    y, scales = y[:height, :width].astype(np.float64), []
    for block in (side, side // 2):
        normalized = normalize(y, parameters["gaussian_window"])
        scales.append(
            [
                block_features(normalized[i : i + block, j : j + block])
                for i in range(0, y.shape[0], block)
                for j in range(0, y.shape[1], block)
            ]
        )
        y = resize_line(resize_line(y, 0.5, "symmetric").T, 0.5, "symmetric").T.round(9)  # flat areas stay flat
    features = np.concatenate(scales, axis=1)
    whole = features[~np.isnan(features).any(axis=1)]
    covariance = (parameters["cov_pris_param"] + np.cov(whole, rowvar=False)) / 2
    difference = parameters["mu_pris_param"][0] - np.nanmean(features, axis=0)
    return float(np.sqrt(difference @ np.linalg.pinv(covariance) @ difference))


def normalize(y, window):
    """Return (y - local mean) / (local deviation + 1); the border pixels are repeated.

    Differences are averaged, so that flat areas give exactly 0, as they do in the release.
    """
    padded = np.pad(y, 3, mode="edge")
    parts = {(i, j): padded[i : i + y.shape[0], j : j + y.shape[1]] - y for i in range(7) for j in range(7)}
    mean = sum(window[place] * part for place, part in parts.items())
    variance = sum(window[place] * (part - mean) ** 2 for place, part in parts.items())
    return -mean / (np.sqrt(variance) + 1)


def block_features(block):
    """Return the 18 features of a normalized block."""
    shape, left, right = fit(block)
    features = [shape, (left + right) / 2]
    for rows, columns in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shape, left, right = fit(block * np.roll(block, (rows, columns), axis=(0, 1)))
        features += [shape, (right - left) * gamma(2 / shape) / gamma(1 / shape), left, right]
    return features


def fit(values):
    """Return the shape and the left and right scales that fit the distribution of `values`."""
    left, right = (np.sqrt(np.mean(values[side] ** 2)) for side in (values < 0, values > 0))
    ratio = left / right
    moments = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    target = moments * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shape = SHAPES[np.argmin((RATIOS - target) ** 2)]
    scale = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, left * scale, right * scale
