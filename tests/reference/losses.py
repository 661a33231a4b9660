"""Adversarial and perceptual losses one element after the other, gradients by finite differences, in float64."""

import math

import numpy as np


def logistic(x):
    """Return the probability of a logit."""
    return 1 / (1 + math.exp(-x))


def bce_discriminator(real, fake):
    """Return -log D(real) - log(1 - D(fake)) of each pair."""
    pairs = zip(real.ravel(), fake.ravel(), strict=True)
    return np.reshape([-math.log(logistic(r)) - math.log(1 - logistic(f)) for r, f in pairs], real.shape)


def total_variation(image):
    """Return the length of the steps down and right at each pixel of `image` (N, H, W, C)."""
    result = np.zeros(image.shape)
    for n, y, x, c in np.ndindex(image.shape):
        down = image[n, y + 1, x, c] - image[n, y, x, c] if y + 1 < image.shape[1] else 0
        right = image[n, y, x + 1, c] - image[n, y, x, c] if x + 1 < image.shape[2] else 0
        result[n, y, x, c] = math.hypot(down, right)
    return result


def texture(output, target, weights):
    """Return the squared difference of Gram matrices of features (N, H, W, C), over 4 (H W C)²."""
    count, height, width, channels = output.shape
    result = np.zeros((count, channels, channels))
    for n, a, b in np.ndindex(result.shape):
        grams = [0.0, 0.0]
        for y, x in np.ndindex(height, width):
            for i, features in enumerate((output, target)):
                grams[i] += float(features[n, y, x, a]) * float(features[n, y, x, b]) * float(weights[n, y, x, 0]) ** 2
        result[n, a, b] = (grams[0] - grams[1]) ** 2 / (4 * (height * width * channels) ** 2)
    return result


def gradient(function, x, step=1e-6):
    """Return the derivatives of the number `function(x)` by central differences."""
    result = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        moved = [x.copy(), x.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        result[place] = (function(moved[0]) - function(moved[1])) / (2 * step)
    return result


def gradient_penalty(critic, real, fake, shares, form):
    """Return the penalty; `critic` takes one photo (1, H, W, C) to its scores, `shares` (N,) place the photos."""
    penalties = []
    for r, f, share in zip(real, fake, shares, strict=True):
        between = share * r + (1 - share) * f
        score = (lambda x: critic(x[None]).mean()) if form == "sample" else (lambda x: critic(x[None]).sum())
        squares = gradient(score, between) ** 2
        norm = np.sqrt(squares.sum() if form == "sample" else squares.sum(axis=2))
        penalties.append((norm - 1) ** 2)
    return np.stack(penalties)
