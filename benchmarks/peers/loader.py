"""A training set as PyTorch ports have it: PNG files decoded by Pillow in a DataLoader's workers, cropped, reduced."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from PIL import Image
from torch.utils.data import DataLoader, Dataset  # pyright: ignore[reportMissingImports]


class Patches(Dataset):
    """A random crop of each photo in turn, flipped or turned, with its bicubic reduction; luma, in [0, 1]."""

    def __init__(self, paths: Sequence[Path], patch: int, scale: int, length: int) -> None:
        self.paths, self.scale, self.length = list(paths), scale, length
        self.side = patch * scale

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the small patch (1, P, P) and the sharp one (1, scale P, scale P)."""
        with Image.open(self.paths[index % len(self.paths)]) as photo:
            luma = photo.convert("YCbCr").getchannel("Y")
        left, top = (random.randint(0, length - self.side) for length in luma.size)
        sharp = luma.crop((left, top, left + self.side, top + self.side))
        if turn := random.randrange(8):
            sharp = sharp.transpose(list(Image.Transpose)[turn - 1])
        patch = self.side // self.scale
        small = sharp.resize((patch, patch), Image.Resampling.BICUBIC)
        return _tensor(small), _tensor(sharp)


def _tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image, np.float32)[None] / 255)


def loader(
    paths: Sequence[Path], *, patch: int, scale: int, batch: int, batches: int, workers: int
) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    """Return the loader of so many batches."""
    patches = Patches(paths, patch, scale, batch * batches)
    return DataLoader(patches, batch, shuffle=True, num_workers=workers, drop_last=True)
