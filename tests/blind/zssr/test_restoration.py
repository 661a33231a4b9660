"""Whole runs of ZSSR: repeatable, aligned, better than bicubic; and what they refuse."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.blind.zssr.fathers_and_sons import StepSpec
from jaxsr.blind.zssr.internal_learning import learn
from jaxsr.blind.zssr.restoration import learn_model, restore_zssr
from jaxsr.blind.zssr.settings import ZSSRSettings
from jaxsr.blind.zssr.stages import fitting_crop, make_stages
from jaxsr.degradations.downscale import back_project, downscale, fitted_kernel, ideal_kernel
from jaxsr.degradations.kernels import anisotropic_kernels
from jaxsr.imaging.patches import shave
from jaxsr.imaging.resize import resize
from jaxsr.metrics.protocols import psnr
from jaxsr.support.errors import UserError

KERNEL = np.asarray(anisotropic_kernels(np.array([[2.0, 1.2]]), np.array([0.6]), 11))[0]
QUICK = ZSSRSettings(crop=32, steps=6)


def run(photos, *, scale=2, kernels=None, progress=None, **settings) -> list[np.ndarray]:
    """Return `photos` restored with QUICK settings but for `settings`."""
    settings = dataclasses.replace(QUICK, **settings)
    return restore_zssr(photos, scale=scale, kernels=kernels, settings=settings, progress=progress)


@functools.cache
def photo(side: int = 96) -> np.ndarray:
    """Return smooth patches of colour with sharp borders, as photos have."""
    fields = resize(np.random.default_rng(7).random((side // 12, side // 12, 3)), 12).clip(0, 1)
    return 0.2 + 0.4 * (fields > 0.5) + 0.2 * fields[..., ::-1]


@functools.cache
def small(scale: int = 2) -> np.ndarray:
    """Return what KERNEL, centred, makes of the photo."""
    kernel = np.float32(fitted_kernel(KERNEL, scale))[None]
    return np.asarray(jax.jit(downscale, static_argnums=2)(np.float32(photo())[None], kernel, scale)[0]).clip(0, 1)


def offset(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return by how many pixels (down, right) `image` lies off `other`, by least squares on the gradient."""
    image, other = (shave(x, 6).mean(axis=-1) for x in (image, other))
    gradients = np.stack([gradient.ravel() for gradient in np.gradient(other)], axis=1)
    return -np.linalg.lstsq(gradients, (image - other).ravel(), rcond=None)[0]


def score(image: np.ndarray) -> float:
    """Return the PSNR of a restored photo, its border left out."""
    return psnr(shave(image, 4), shave(photo(), 4))


def test_an_offset_is_found():
    rows = np.sin(np.arange(40.0) / 4)
    ramp, moved = (np.add.outer(np.arange(40.0) - by, rows)[..., None] for by in (0, 0.25))
    np.testing.assert_allclose(offset(moved, ramp), [0.25, 0], atol=1e-6)


@pytest.mark.slow
def test_it_learns_from_the_photo_and_stays_aligned_with_bicubic():
    """More than back-projection alone achieves; also where the kernel is given off its centre."""
    bicubic, kernel = resize(small(), 2), fitted_kernel(KERNEL, 2)
    corrected = back_project(*(np.float32(x)[None] for x in (bicubic, small(), kernel)), 2, rounds=4)[0]
    moved = np.roll(np.pad(KERNEL, 2), (1, -2), axis=(0, 1))
    for kernel in (KERNEL, moved):
        result = run([small()], kernels=[kernel], steps=300)[0]
        assert score(result) > score(np.asarray(corrected)) + 0.3 > score(bicubic) + 1
        np.testing.assert_allclose(offset(result, bicubic), 0, atol=0.1)


@pytest.mark.slow
def test_a_run_repeats_bit_for_bit_whatever_is_beside_it(narrow):
    grey, counts = small()[:40, :44, :1], []
    alone, other = (run([small()], kernels=[KERNEL], seed=seed)[0] for seed in (0, 1))
    both = run([grey, small()], kernels=[None, KERNEL], progress=lambda *now: counts.append(now))
    np.testing.assert_array_equal(both[1], alone)
    assert both[0].shape == (80, 88, 1) and sorted(counts) == [(6, 12), (6, 12), (12, 12), (12, 12)]
    assert alone.dtype == np.float32 and alone.min() >= 0 and alone.max() <= 1
    assert np.abs(alone - other).max() > 0


@pytest.mark.slow
def test_one_failure_stops_all(narrow):
    """Here the caller's own; as any would, it ends the other photo at its next report, not after 3,000 steps."""
    counts = []

    def progress(done, total):
        counts.append(done)
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        run([small(), small()], kernels=[KERNEL] * 2, steps=3000, progress=progress)
    assert 1 <= len(counts) <= 2


def test_gradual_training_continues_from_the_weights_of_x2(narrow):
    corner, key = photo()[:64, :64], jax.random.key(5)
    stages = make_stages((KERNEL, np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]) / 81), 4)
    counts = []
    settings = ZSSRSettings(crop=64, seed=5, steps=2)
    model = learn_model(corner, stages, settings, lambda *now: counts.append(now))
    assert counts == [(2, 4), (2, 4), (4, 4), (4, 4)]
    params = None
    for scale, kernel in stages:
        spec, stage_key = StepSpec(model.module, scale, crop=64), jax.random.fold_in(key, scale)
        params = learn(spec, *map(jnp.float32, (corner, kernel)), stage_key, params=params, steps=2).params
    assert model.scale == 4
    jax.tree.map(np.testing.assert_array_equal, model.params, params)


@pytest.mark.slow
def test_real_photos_learn_from_noise_and_are_not_corrected(narrow):
    restore, bicubic = functools.partial(run, [small()], kernels=[KERNEL], steps=2), resize(small(), 2)
    known, real, quiet, loud = (
        restore(**options)[0] for options in ({}, *({"real": True, "noise_scale": scale} for scale in (1.0, 0.0, 9.0)))
    )
    assert np.abs(real - bicubic).max() < np.abs(known - bicubic).max()
    assert 0 < np.abs(real - quiet).max() < np.abs(loud - quiet).max()


def test_crops_fit_their_photos():
    for (height, width), scale, side in (((300, 400), 2, 128), ((99, 70), 4, 68), ((70, 51), 2, 50)):
        assert fitting_crop(np.zeros((height, width, 3)), scale, 128) == side


def test_stages():
    """No kernels are the ideal ones; one for scale 4 leaves out the stage whose kernel is not known."""
    for stage, scale in zip(make_stages(None, 4), (2, 4), strict=True):
        assert stage.scale == scale
        np.testing.assert_array_equal(stage.kernel, ideal_kernel(scale))
    (stage,) = make_stages(KERNEL, 4)
    assert stage.scale == 4
    np.testing.assert_allclose(stage.kernel, fitted_kernel(KERNEL, 4), atol=1e-6)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("no scale 8; choose one of: 2, 3, 4", {"scale": 8}),
        ("2 kernels for 1 photos", {"kernels": [KERNEL, KERNEL]}),
        ("48x31 pixels is too small for zssr; use at least 32x32", {"photos": [photo()[:31, :48]]}),
        ("crop=31 is too small for zssr at scale 2; use at least 32", {"crop": 31}),
        (r"shape \(H, W, 1 or 3\); got \(96, 96\)", {"photos": [photo()[..., 0]]}),
        (r"lie in \[0, 1\]; got", {"photos": [photo() * 255]}),
        (r"holds values that are not finite \(NaN or infinity\)", {"photos": [photo() * np.nan]}),
        ("3 kernels for scale 4; give one, or those for scales", {"scale": 4, "crop": 64, "kernels": [[KERNEL] * 3]}),
        (r"a square \(k, k\); got \(10, 11\)", {"kernels": [KERNEL[1:]]}),
        ("sum 0.0 has no centre", {"kernels": [0 * KERNEL]}),
        ("kernel of 105x105 is larger than the crops of 32x32", {"kernels": [np.pad(KERNEL, 45)]}),
    ],
)
def test_mistakes_are_named(message, options):
    with pytest.raises(UserError, match=message):
        run(**{"photos": [photo()], **options})
