"""Where in its references each patch of a photo was found, as a picture."""

from collections.abc import Sequence

import numpy as np

GAP = 4  # columns of black between panels


def matches_picture(places: np.ndarray, sizes: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Return the `places` (H-2, W-2, 3) of a photo's matches as colours, uint8 (H', W', 3), the references beside.

    Red is a place's column in its reference, green its row, blue which of the references of `sizes` (R, 2) it is. The
    first panel is the photo, a pixel for each patch; the others are what each reference would be itself.
    """
    sizes = np.asarray(sizes)
    keys = []
    for number, size in enumerate(sizes):
        rows, columns = np.indices(np.maximum(size - 2, 1))
        keys.append(np.stack([np.full_like(rows, number), rows, columns], axis=-1))
    panels = [_colours(panel, sizes) for panel in (places, *keys)]
    height = max(panel.shape[0] for panel in panels)
    width = sum(panel.shape[1] + GAP for panel in panels) - GAP
    picture, left = np.zeros((height, width, 3), np.uint8), 0
    for panel in panels:
        picture[: panel.shape[0], left : left + panel.shape[1]] = panel
        left += panel.shape[1] + GAP
    return picture


def _colours(places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    number = places[..., 0]
    last = np.maximum(sizes[number] - 3, 1)  # the last row and column where a patch begins
    row, column = (places[..., 1 + i] / last[..., i] for i in (0, 1))
    blue = number / max(len(sizes) - 1, 1)
    return np.rint(255 * np.stack([column, row, blue], axis=-1)).astype(np.uint8)
