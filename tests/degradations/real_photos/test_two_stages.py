"""Degradation "real": the draws of a stage, and what two stages make of photos."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.degradations.photo_batches import degrade_batch
from jaxsr.degradations.real_photos.two_stages import (
    SECOND,
    add_noise,
    blur_kernel,
    draw_numbers,
    first_stage,
    motion_kernel,
)
from jaxsr.imaging.resize import resize

HALF = draw_numbers(jax.random.key(0))._replace(grey=jnp.float32(0.9), strength=jnp.float32(1))
kernel_of = jax.jit(blur_kernel, static_argnames="stage")


@pytest.mark.parametrize(("shot", "deviations"), [(0.9, (8, 8)), (0.1, (4, 8))])
def test_noise_has_the_variance_of_its_kind(shot, deviations):
    """Shot noise has a quarter of the variance at a quarter of the level, as counts of photons."""
    image = jnp.concatenate([jnp.full((64, 64, 3), 0.25), jnp.ones((64, 64, 3))])
    noisy = add_noise(jax.random.key(1), HALF._replace(shot=jnp.float32(shot)), SECOND, image)
    measured = [255 * float(part.std()) for part in jnp.split(noisy - image, 2)]
    np.testing.assert_allclose(measured, deviations, rtol=0.03)


def test_grey_noise_is_one_for_all_channels():
    image = jnp.full((8, 8, 3), 0.5)
    noise = add_noise(jax.random.key(1), HALF._replace(grey=jnp.float32(0.1)), SECOND, image) - image
    np.testing.assert_allclose(noise, jnp.broadcast_to(noise[..., :1], noise.shape), atol=1e-6)


@pytest.mark.parametrize("blur", [0.05, 0.2, 0.9])
def test_kernels_sum_to_one_about_their_middle(blur):
    stage = first_stage(4)
    kernel = np.asarray(kernel_of(HALF._replace(blur=jnp.float32(blur)), stage))
    assert kernel.shape == (21, 21) and kernel.min() >= 0
    np.testing.assert_allclose([kernel.sum(), *(kernel.sum(axis=i) @ np.arange(21) for i in (0, 1))], [1, 10, 10], 1e-3)
    assert (kernel.max() == 1) == (blur < stage.sharp)


def test_motion_along_a_line_is_even():
    kernel = np.asarray(motion_kernel(jnp.float32(10), jnp.float32(0), jnp.float32(0.5), 21))
    np.testing.assert_allclose(kernel.sum(axis=0)[7:14], 0.1, atol=0.02)
    np.testing.assert_allclose(kernel[10].sum(), 1, atol=1e-5)


def test_stages_leave_the_small_photos_pixels():
    assert first_stage(4).factors[0] == 1 / 4 and first_stage(2).widths == (0.2, 1.5)
    assert dataclasses.astuple(SECOND)[0] % 2 == first_stage(2).kernel_size % 2 == 1


@pytest.mark.slow
def test_photos_are_degraded_each_by_its_key():
    hr = np.float32(resize(np.random.default_rng(0).random((2, 12, 12, 3)), size=(64, 48)).clip(0, 1))
    keys = jax.random.split(jax.random.key(0), 2)
    lr = np.asarray(degrade_batch(keys, hr, "real", scale=2).lr)
    again = np.asarray(degrade_batch(keys[::-1], hr[::-1], "real", scale=2).lr)[::-1]
    np.testing.assert_allclose(lr, again, atol=1.01 / 255)
    assert lr.shape == (2, 32, 24, 3)
    for photo, clean in zip(lr, resize(hr, 1 / 2), strict=True):  # in place, though worse
        errors = [np.abs(np.roll(photo, shift, axis=(0, 1)) - clean).mean() for shift in ((0, 0), (1, 1), (-1, -1))]
        assert 0.005 < errors[0] < 0.15 and errors[0] == min(errors)
