"""The shipped weights on photos unlike those they learned from: flat black and white, hard contrast."""

import numpy as np
import pytest

from jaxsr.data.samples import sample_photos
from jaxsr.degradations.blurring import blur
from jaxsr.degradations.kernels import gaussian8_kernels
from jaxsr.evaluation.pair_options import PairOptions
from jaxsr.evaluation.pairs import make_pairs
from jaxsr.imaging.pixels import to_8_bit, to_levels
from jaxsr.imaging.resize import resize
from jaxsr.metrics import psnr
from jaxsr.restoration.photo import restore_pixels
from jaxsr.weights import load, shipped_names

SIDE = 144
QUICK = ("espcn", "fsrcnn", "srcnn")
# Not for a small error, or only with VGG19's weights and a reference
OTHERS = ("srgan", "real-gan", "deblurgan", "srntt")
NAMES = [
    pytest.param(name, marks=() if name.startswith(QUICK) else pytest.mark.slow)
    for name in shipped_names()
    if not name.startswith(OTHERS)
]


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


def reduced(hr, model):
    """Return `hr` as the network expects LR photos: by bicubic, for DAN after a blur, for `real` by what it is for."""
    if model.spec.name == "real":
        return make_pairs("photo", to_8_bit(to_levels(hr)), model.scale, PairOptions("real"))[0].lr
    if model.spec.name.startswith("dan"):
        hr = np.asarray(blur(hr[None], gaussian8_kernels(model.scale)[3:4]))[0]
    return np.clip(np.asarray(resize(hr, 1 / model.scale), np.float32), 0, 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.optimized) if kind == "plain" else kind for kind in KINDS]
)
def test_better_than_bicubic_on_every_kind_of_photo(name, kind):
    model = load(name)
    photo = sample_photos("validation")["coffee"][100 : 100 + SIDE, 200 : 200 + SIDE, : model.channels]
    hr = KINDS[kind](photo / np.float32(255)).astype(np.float32)
    lr = reduced(hr, model)
    restored = restore_pixels(model, lr)[0]
    bicubic = np.clip(np.asarray(resize(lr, model.scale)), 0, 1)
    if kind == "black":
        error = np.abs(restored - hr)
        assert error[16:-16, 16:-16].max() < 0.01
        assert error.max() < 0.08  # where the zeros around the photo are seen
    else:
        assert float(psnr(restored, hr)) > float(psnr(bicubic, hr)) + 0.5
