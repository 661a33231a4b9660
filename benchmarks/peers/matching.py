"""SRNTT's matching and swap in PyTorch, eager, as ports do them: patches as filters, and a loop over positions."""

from collections.abc import Sequence

import torch  # pyright: ignore[reportMissingImports]
from torch.nn import functional  # pyright: ignore[reportMissingImports]

EPSILON = 1e-5
BATCH = 512  # filters in a convolution


def patches(x: torch.Tensor) -> torch.Tensor:
    """Return the 3x3 patches (P, C, 3, 3) of features `x` (C, H, W), in reading order."""
    rows = functional.unfold(x[None], 3)[0]
    return rows.T.reshape(-1, x.shape[0], 3, 3)


@torch.no_grad()
def match(photo: torch.Tensor, reference: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the index of the most similar patch of `reference` for each of `photo`, both (C, H, W), and the cosine."""
    filters = patches(reference)
    filters = filters / (filters.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1) + EPSILON)
    best, index = None, None
    for first in range(0, len(filters), BATCH):
        score, number = functional.conv2d(photo[None], filters[first : first + BATCH])[0].max(dim=0)
        number = number + first
        if best is None or index is None:
            best, index = score, number
        else:
            index = torch.where(score > best, number, index)
            best = torch.maximum(best, score)
    assert best is not None and index is not None
    norms = patches(photo).flatten(1).norm(dim=1).reshape(best.shape)
    return index, best / (norms + EPSILON)


@torch.no_grad()
def swap(index: torch.Tensor, references: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return for each layer of the reference, (C, factor h, factor w) with factors 1, 2, 4, the map of `index`."""
    results = []
    columns = references[0].shape[2] - 2
    height, width = index.shape[0] + 2, index.shape[1] + 2
    for factor, reference in zip((1, 2, 4), references, strict=True):
        side = 3 * factor
        total = reference.new_zeros(reference.shape[0], factor * height, factor * width)
        count = reference.new_zeros(1, factor * height, factor * width)
        for y, row in enumerate(index.tolist()):
            for x, number in enumerate(row):
                top, left = factor * (number // columns), factor * (number % columns)
                there = (slice(None), slice(factor * y, factor * y + side), slice(factor * x, factor * x + side))
                total[there] += reference[:, top : top + side, left : left + side]
                count[there] += 1
        results.append(total / count)
    return results
