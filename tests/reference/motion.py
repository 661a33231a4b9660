"""Camera shake as DeblurGAN's authors describe it: one position, one pixel after the other, in float64."""

import cmath
import math

import numpy as np
from scipy.signal import fftconvolve


def draw(rng, steps):
    """Return the random numbers of one path of `steps` positions, by the names of `camera_paths.Shake`."""
    moves = steps - 1
    return {
        "anxiety": rng.choice([0.01, 0.009, 0.008, 0.007, 0.005, 0.003]),
        "centripetal": 0.7 * rng.random(),
        "jerk": 0.2 * rng.random(),
        "tremor": 10 * rng.random(),
        "angle": 2 * math.pi * rng.random(),
        "chances": [rng.random() for _ in range(moves)],
        "turns": [rng.random() - 0.5 for _ in range(moves)],
        "noise": [complex(rng.normal(), rng.normal()) for _ in range(moves)],
    }


def trajectory(drawn, length):
    """Return the positions of one path, from 0 on."""
    moves, anxiety = len(drawn["chances"]), drawn["anxiety"]
    pace = length / moves
    velocity = cmath.exp(1j * drawn["angle"]) * (anxiety if anxiety > 0 else pace)
    path = [0j]
    for chance, turn, noise in zip(drawn["chances"], drawn["turns"], drawn["noise"], strict=True):
        flip = 0
        if chance < drawn["jerk"] * anxiety:
            flip = 2 * velocity * cmath.exp(1j * (math.pi + turn))
        pull = drawn["centripetal"] * path[-1]
        velocity = velocity + flip + anxiety * (drawn["tremor"] * noise - pull) * pace
        velocity = velocity / abs(velocity) * pace
        path.append(path[-1] + velocity)
    return np.array(path)


def place(path, canvas):
    """Return the path with its bounding box about the middle of the canvas."""
    path = path - (path.real.min() + 1j * path.imag.min())
    path = path - (path[0].real % 1 + 1j * (path[0].imag % 1))
    path = path + (1 + 1j)
    return path + (math.ceil((canvas - path.real.max()) / 2) + 1j * math.ceil((canvas - path.imag.max()) / 2))


def psf(path, exposures, canvas):
    """Return the PSF after each of `exposures`, drawn on over the one before: (J, canvas, canvas)."""
    total, result = np.zeros((canvas + 1, canvas + 1)), []  # one more, where the neighbours of the last pixel fall
    before, steps = 0.0, len(path)
    for share in exposures:
        for t, position in enumerate(path):
            weight = max(0, min(t, share * steps) - max(t - 1, before * steps))
            column, row = (min(max(math.floor(part), 1), canvas - 1) for part in (position.real, position.imag))
            for x in (column, column + 1):
                for y in (row, row + 1):
                    near = max(0, 1 - abs(position.real - x)) * max(0, 1 - abs(position.imag - y))
                    total[y, x] += weight * near
        before = share
        result.append(total[:canvas, :canvas] / steps)
    return np.stack(result)


def stretched(x):
    """Return `x` moved and scaled to [0, 1]."""
    return (x - x.min()) / (x.max() - x.min())


def blur(image, kernel):
    """Return a square image (S, S, C), S - k even, convolved with the kernel (k, k) as large as the image."""
    border = (len(image) - len(kernel)) // 2
    kernel, image = stretched(np.pad(kernel, border)), stretched(image)
    channels = [fftconvolve(image[..., c], kernel, "same") for c in range(image.shape[2])]
    return stretched(np.stack(channels, axis=-1))
