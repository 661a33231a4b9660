"""The positions in the references that match each patch of a photo, as a picture."""

from collections.abc import Sequence

import numpy as np

from jaxsr.imaging.pixels import to_levels

GAP = 4  # columns of black between panels


def matches_picture(positions: np.ndarray, sizes: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Return a photo's matched `positions` (H-2, W-2, 3) as colours, uint8 (H', W', 3), with a panel per reference.

    Red is the column in the reference, green the row, blue which of the references of `sizes` (R, 2) it is. The first
    panel is the photo, a pixel for each patch; the others are what each reference itself would look like.
    """
    sizes = np.asarray(sizes)
    keys = []
    for number, size in enumerate(sizes):
        rows, columns = np.indices(np.maximum(size - 2, 1))
        keys.append(np.stack([np.full_like(rows, number), rows, columns], axis=-1))
    panels = [_colours(panel, sizes) for panel in (positions, *keys)]
    height = max(panel.shape[0] for panel in panels)
    width = sum(panel.shape[1] + GAP for panel in panels) - GAP
    picture, left = np.zeros((height, width, 3), np.uint8), 0
    for panel in panels:
        picture[: panel.shape[0], left : left + panel.shape[1]] = panel
        left += panel.shape[1] + GAP
    return picture


def _colours(positions: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    number = positions[..., 0]
    last = np.maximum(sizes[number] - 3, 1)  # the last row and column where a patch begins
    row, column = (positions[..., 1 + i] / last[..., i] for i in (0, 1))
    blue = number / max(len(sizes) - 1, 1)
    return to_levels(np.stack([column, row, blue], axis=-1))
