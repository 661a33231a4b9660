"""JPEG files whose end is missing: how many pixels that costs, and how many are too many."""

from collections.abc import Iterable

import numpy as np

from jaxsr.support.errors import UserError

BLOCK = 16  # rows and columns of a coded unit, at most
MAX_LOST = 1 / 1000  # of the pixels, or half a unit: what may be missing of a photo that is read
_FILLING = 128  # the level that libjpeg gives to pixels without data
_TOO_SHORT = "unreadable (the file ends early, pixels are missing); copy the file again"
_MISSING = "premature end of data segment"
_DAMAGE = ("bad Huffman code", "Inconsistent progression", "instead of RST", "invalid progressive", _MISSING)


def damage_in(warnings: Iterable[str]) -> str:
    """Return the warning of libjpeg, if any, that means wrong pixels."""
    return next((line for line in warnings if any(text in line for text in _DAMAGE)), "")


def check_loss(bands: np.ndarray, warnings: list[str], *, passes: bool) -> str:
    """Return a line about stored `bands` (H, W, C) that were decoded with an end marker added to their file.

    Missing pixels are grey. Half the last unit of 16 x 16 pixels, or a thousandth of the photo, may be; more raises
    UserError. So does a progressive file, which comes in `passes` over the whole photo, some of them maybe missing. The
    `warnings` of libjpeg about it are taken out of that list.
    """
    missing = [line for line in warnings if _MISSING in line]
    warnings[:] = [line for line in warnings if line not in missing and "premature end of JPEG" not in line]
    if passes:
        raise UserError(_TOO_SHORT)
    if not missing:
        return "its end marker is missing; all pixels are there"
    height, width = bands.shape[:2]
    lost = BLOCK * _grey_run(bands[-1])
    if lost >= BLOCK * width or lost > max(BLOCK**2 // 2, MAX_LOST * height * width):
        raise UserError(_TOO_SHORT)
    return f"the file ends early; about {lost + BLOCK**2} pixels at the end of the last rows are wrong"


def _grey_run(row: np.ndarray) -> int:
    """Return how many pixels at the end of `row` (W, C) have no data."""
    known = np.flatnonzero((row != _FILLING).any(axis=-1))
    return len(row) - 1 - int(known[-1]) if len(known) else len(row)
