"""Convolutions as their definitions say, one weight at a time."""

import numpy as np


def correlate(x: np.ndarray, kernel: np.ndarray, padding: tuple[int, int]) -> np.ndarray:
    """Return (N, H', W', O) from `x` (N, H, W, C), padded with zeros, and `kernel` (T, T, C, O)."""
    kernel, taps = np.asarray(kernel), kernel.shape[0]
    x = np.pad(x, ((0, 0), padding, padding, (0, 0)))
    height, width = (side - taps + 1 for side in x.shape[1:3])
    total = np.zeros((len(x), height, width, kernel.shape[3]))
    for row in range(taps):
        for column in range(taps):
            total += x[:, row : row + height, column : column + width] @ kernel[row, column]
    return total


def transposed(x: np.ndarray, kernel: np.ndarray, stride: int, crop: int) -> np.ndarray:
    """Return (N, stride H, stride W, O): input pixel i adds its value times weight t to pixel stride i + t - crop."""
    n, height, width, _ = x.shape
    kernel, size = np.asarray(kernel), kernel.shape[0]
    canvas = np.zeros((n, stride * height + size, stride * width + size, kernel.shape[3]))
    for row in range(size):
        for column in range(size):
            part = canvas[:, row : row + stride * height : stride, column : column + stride * width : stride]
            part += x @ kernel[row, column]
    return canvas[:, crop : crop + stride * height, crop : crop + stride * width]
