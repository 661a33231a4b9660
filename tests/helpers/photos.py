"""Photos that are drawn: noise, and smooth ones that bicubic can enlarge."""

import numpy as np

from jaxsr.imaging.resize import resize


def photo(height, width, channels=3, dtype=np.uint8, seed=0):
    """Return white noise (height, width, channels): levels of an integer `dtype`, or floats in [0, 1]."""
    levels = np.random.default_rng(height * width + seed).random((height, width, channels))
    return levels.astype(dtype) if np.issubdtype(dtype, np.floating) else (levels * np.iinfo(dtype).max).astype(dtype)


def smooth(height, width, channels=3):
    """Return a smooth photo (height, width, channels) uint8."""
    lr = photo(height // 6, width // 6, channels) / 255
    return np.rint(np.clip(resize(lr, size=(height, width)), 0, 1) * 255).astype(np.uint8)
