"""Pictures of samples: the panels' pixels as they are, and labels in strips above them."""

import numpy as np
import pytest

from jaxsr.evaluation.pairs import given_pair, make_pair
from jaxsr.evaluation.scores import Row
from jaxsr.imaging.patches import center_crop
from jaxsr.imaging.pixels import to_levels, to_rgb
from jaxsr.training.run import sample_pictures
from jaxsr.training.run.sample_pictures import BACKGROUND, GAP, Sample, sample_picture


def sample(side=40, channels=3, scale=2, name="photo"):
    pixels = np.random.default_rng(side).integers(0, 256, (side, side + 10, channels), dtype=np.uint8)
    pair = given_pair(name, pixels, pixels, 1) if scale == 1 else make_pair(name, pixels, scale)
    scores = Row(name, {"psnr": 28.125, "ssim": 0.9}, {"psnr": 27.5, "ssim": 0.8}, 0.1)
    return Sample(pair, (pair.hr + 0.01).astype(np.float32), scores)


def find(picture, panel):
    """Return the (row, column) of the only place where `panel` lies in `picture`."""
    height, width = panel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (height, width), axis=(0, 1))
    corners = (picture[: windows.shape[0], : windows.shape[1]] == panel[0, 0]).all(-1)
    places = [(i, j) for i, j in np.argwhere(corners) if np.array_equal(picture[i : i + height, j : j + width], panel)]
    assert len(places) == 1
    return places[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_panels_are_unaltered_and_a_strip_of_text_is_above_them(channels):
    samples = [sample(channels=channels), sample(48, channels=channels)]
    picture = sample_picture(samples, "espcn-x2", "y8")
    tops = []
    for each in samples:
        photos = (each.pair.enlarged, each.restored, each.pair.hr)
        places = [find(picture, to_levels(to_rgb(center_crop(photo, 40, 40)))) for photo in photos]
        assert len({row for row, _ in places}) == 1 and places[0][1] == GAP
        strides = np.diff([column for _, column in places])
        assert strides[0] == strides[1] > 40 + GAP  # the labels are wider than the panels
        tops.append(places[0][0])
        strip = picture[places[0][0] - 20 : places[0][0]]
        for column in (column for _, column in places):
            assert (strip[:, column : column + 15] != BACKGROUND).any()
    assert tops[1] - tops[0] == (picture.shape[0] - GAP) // 2


def test_labels_name_photo_model_and_scores():
    labels = sample_pictures._labels(sample(), "espcn-x2")
    assert labels == ("bicubic  27.50 dB", "espcn-x2  28.12 dB", "HR")
    assert sample_pictures._labels(sample(scale=1), "deblurgan")[::2] == ("blurred input  27.50 dB", "sharp")
    title = sample_pictures._title(sample(name="two\nlines"), 40, "y8")
    assert title == "two lines: middle 40 x 40 of 50 x 40; PSNR of the whole, y8"


def test_a_panel_is_at_most_as_large_as_agreed():
    picture = sample_picture([sample(400)], "espcn-x2", "y8")
    assert picture.shape[1] == 3 * sample_pictures.PANEL + 4 * GAP
