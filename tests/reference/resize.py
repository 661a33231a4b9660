"""Bicubic resizing one output sample at a time, as MATLAB's documentation of imresize describes it."""

import math

import numpy as np


def cubic(x: float) -> float:
    """Return Keys' kernel with a = -1/2."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x <= 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


def resize_line(line: np.ndarray, scale: float, border: str) -> np.ndarray:
    """Return one line of samples resized by `scale`."""
    n = len(line)
    shrink = min(scale, 1)
    result = []
    for j in range(1, math.ceil(round(scale * n, 9)) + 1):
        centre = j / scale + 0.5 * (1 - 1 / scale)
        total = weight_sum = 0.0
        for i in range(math.floor(centre - 2 / shrink) - 1, math.ceil(centre + 2 / shrink) + 2):
            weight = cubic(shrink * (centre - i))
            total += weight * line[inside(i, n, border)]
            weight_sum += weight
        result.append(total / weight_sum)
    return np.array(result)


def inside(i: int, n: int, border: str) -> int:
    """Return the 0-based sample that stands for the 1-based place `i`."""
    if border == "clamp":
        return min(max(i, 1), n) - 1
    while not 1 <= i <= n:
        i = 1 - i if i < 1 else 2 * n + 1 - i
    return i - 1


def resize(image: np.ndarray, scale: float, border: str = "symmetric", uint8_stages: bool = False) -> np.ndarray:
    """Return `image` (H, W) resized, rows first; with `uint8_stages` on 8-bit levels in [0, 1]."""
    image = np.rint(image * 255) if uint8_stages else image
    for _ in range(2):
        image = np.stack([resize_line(column, scale, border) for column in image.T])  # transposed for the next pass
        image = np.clip(np.floor(image + 0.5), 0, 255) if uint8_stages else image
    return image / 255 if uint8_stages else image
