"""Where crops are cut: the reference implementation's maps, and drawn corners."""

import numpy as np
import pytest

from jaxsr.blind.kernelgan.crops import (
    crop_probabilities,
    draw_corners,
    draw_crops,
    generator_map,
    gradient_map,
    usable_part,
)
from jaxsr.support.errors import UserError

RNG = np.random.default_rng(0)


@pytest.mark.shared
def test_golden_file(shared):
    with np.load(shared / "golden" / "kernelgan_crop_maps.npz") as data:
        photo = data["in/image"].astype(np.float64)
        maps = gradient_map(photo), generator_map(photo)
        found = [maps[0], crop_probabilities(maps[0], 26), crop_probabilities(maps[1], 32)]
        for ours, name in zip(found, ("gradient_map", "prob_map_d", "prob_map_g"), strict=True):
            np.testing.assert_allclose(ours, data[f"out/{name}"], atol=1e-7 * data[f"out/{name}"].max())


def test_crops_are_cut_as_often_as_their_centres_are_probable():
    probabilities = np.zeros((40, 50))
    probabilities[[20, 20, 27], [20, 35, 25]] = 0.2, 0.5, 0.3
    corners = draw_corners(np.random.default_rng(0), probabilities, 10, 20_000)
    found, counts = np.unique(corners, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, [[14, 14], [14, 30], [22, 20]])  # even, less half a crop
    np.testing.assert_allclose(counts / 20_000, [0.2, 0.5, 0.3], atol=0.02)


def test_crops_lie_within_the_photo():
    photo = usable_part(RNG.random((86, 101, 3)))
    assert photo.shape == (66, 80, 3)
    for corners, size in zip(draw_crops(np.random.default_rng(1), photo, 500), (64, 26), strict=True):
        assert corners.min() >= 0 and (corners.max(axis=0) <= np.array(photo.shape[:2]) - size).all()
        assert (corners % 2 == 0).all() and len(np.unique(corners, axis=0)) > 5


def test_edges_of_one_direction_alone_are_enough():
    stripes = np.tile((np.arange(90) // 6 % 2)[None, :, None], (90, 1, 3)).astype(np.float64)
    weights = gradient_map(stripes)
    assert np.isfinite(weights).all() and weights.mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (
            np.zeros((85, 200, 3)),
            "a photo of 200x85 pixels is too small to estimate its kernel; give one of at least 86x86",
        ),
        (np.full((100, 100, 3), 0.3), "the photo is flat"),
    ],
)
def test_mistakes_are_named(photo, message):
    with pytest.raises(UserError, match=message):
        draw_crops(RNG, usable_part(photo), 10)
