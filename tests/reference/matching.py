"""SRNTT's matching and swap, patch by patch in float64."""

import numpy as np


def match(photo, references):
    """Return the (reference, row, column) of the most similar patch (H-2, W-2, 3), and its cosine (H-2, W-2)."""
    height, width = photo.shape[0] - 2, photo.shape[1] - 2
    places, similarity = np.zeros((height, width, 3), int), np.full((height, width), -np.inf)
    for y, x in np.ndindex(height, width):
        patch = photo[y : y + 3, x : x + 3].astype(float)
        for number, reference in enumerate(references):
            for row, column in np.ndindex(reference.shape[0] - 2, reference.shape[1] - 2):
                other = reference[row : row + 3, column : column + 3].astype(float)
                norms = (np.linalg.norm(patch) + 1e-5) * (np.linalg.norm(other) + 1e-5)
                cosine = (patch * other).sum() / norms
                if cosine > similarity[y, x]:
                    places[y, x], similarity[y, x] = (number, row, column), cosine
    return places, similarity


def swap(places, references, factor):
    """Return the mean of the patches that `places` names, put where they were asked for."""
    height, width = (factor * (side + 2) for side in places.shape[:2])
    total, count = np.zeros((height, width, references[0].shape[-1])), np.zeros((height, width, 1))
    side = 3 * factor
    for y, x in np.ndindex(places.shape[:2]):
        number, row, column = places[y, x]
        there = (slice(factor * y, factor * y + side), slice(factor * x, factor * x + side))
        top, left = factor * row, factor * column
        total[there] += references[number][top : top + side, left : left + side]
        count[there] += 1
    return total / count
