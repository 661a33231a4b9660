"""Crops are turned, and some stretched, where the config says so; each by its own key."""

import jax
import numpy as np
import pytest

from jaxsr.training.tasks.augmentation import augment
from tests.helpers.configs import load_config

KEYS = jax.random.split(jax.random.key(2), 64)
IMAGES = np.float32(np.random.default_rng(4).uniform(0.3, 0.7, (64, 5, 5, 3)))


def augmented(*, turn: bool, stretch: float) -> np.ndarray:
    config = load_config("espcn", "x3")
    config.data.update(augment=turn, stretch=stretch)
    return np.asarray(jax.jit(lambda images, keys: augment(images, keys, config))(IMAGES, KEYS))


def symmetries(image):
    """Return the eight of a square, slowly."""
    turned = [np.rot90(image, turns) for turns in range(4)]
    return [*turned, *(x[::-1] for x in turned)]


def test_each_symmetry_is_drawn():
    found = [
        next(i for i, same in enumerate(symmetries(image)) if np.array_equal(same, result))
        for image, result in zip(IMAGES, augmented(turn=True, stretch=0.0), strict=True)
    ]
    assert set(found) == set(range(8))


@pytest.mark.parametrize(("share", "least", "most"), [(0.5, 16, 48), (1.0, 64, 64)])
def test_a_share_gets_more_contrast(share, least, most):
    results = augmented(turn=False, stretch=share)
    changed = [pair for pair in zip(IMAGES, results, strict=True) if not np.allclose(*pair, atol=1e-4)]
    assert least <= len(changed) <= most
    for image, result in changed:
        inside = (result > 0) & (result < 1)  # not clipped
        slope, _ = np.polyfit(image[inside], result[inside], 1) if inside.sum() > 2 else (1.0, 0.0)
        assert 0.999 < slope < 4.001 and 0 <= result.min() <= result.max() <= 1


def test_without_either_crops_stay_as_they_are():
    np.testing.assert_array_equal(augmented(turn=False, stretch=0.0), IMAGES)
