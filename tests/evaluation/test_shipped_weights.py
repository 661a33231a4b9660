"""The shipped weights on photos unlike those they learned from: flat black and white, hard contrast."""

import numpy as np
import pytest

from jaxsr.data.samples import sample_photos
from jaxsr.imaging.resize import resize
from jaxsr.metrics import psnr
from jaxsr.restoration.tiles.tiled_run import restore_tiled
from jaxsr.weights import load, shipped_names

SIDE = 144


def framed(photo: np.ndarray, level: float) -> np.ndarray:
    """Return `photo` with a border of one level."""
    inner = photo[24:-24, 24:-24]
    return np.pad(inner, ((24, 24), (24, 24), (0, 0)), constant_values=level)


KINDS = {
    "plain": lambda photo: photo,
    "black frame": lambda photo: framed(photo, 0),
    "white frame": lambda photo: framed(photo, 1),
    "hard contrast": lambda photo: np.clip(4 * photo - 1.5, 0, 1),
    "black": lambda photo: 0 * photo + 0.002,
}


@pytest.mark.parametrize("name", shipped_names())
@pytest.mark.parametrize("kind", KINDS)
def test_better_than_bicubic_on_every_kind_of_photo(name, kind):
    model = load(name)
    photo = sample_photos("validation")["coffee"][100 : 100 + SIDE, 200 : 200 + SIDE, :1] / np.float32(255)
    hr = KINDS[kind](photo).astype(np.float32)
    lr = np.asarray(resize(hr, 1 / model.scale), np.float32)
    restored = restore_tiled(model, np.clip(lr, 0, 1))[0]
    bicubic = np.clip(np.asarray(resize(lr, model.scale)), 0, 1)
    if kind == "black":
        error = np.abs(restored - hr)
        assert error[16:-16, 16:-16].max() < 0.01
        assert error.max() < 0.08  # where the zeros around the photo are seen
    else:
        assert float(psnr(restored, hr)) > float(psnr(bicubic, hr)) + 0.5
