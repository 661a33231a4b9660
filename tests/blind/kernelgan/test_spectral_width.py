"""The blur's variance by a photo's spectrum, and what becomes of kernels that are wider or narrower."""

import logging

import numpy as np
import pytest
from scipy import ndimage

from jaxsr.blind.kernelgan.estimation import combine, estimate_kernels, warn_of_width
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.blind.kernelgan.parallel_runs import Estimate
from jaxsr.blind.kernelgan.postprocessing import finish, raw_variance, variance
from jaxsr.blind.kernelgan.spectral_width import kernel_variance, spectral_variance, variance_factor


def natural_photo(side: int, sigma: float) -> np.ndarray:
    """Return noise (side, side, 3) whose power falls as f^-2.4, as natural photos' does, blurred by `sigma` pixels."""
    frequencies = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    frequencies[0, 0] = np.inf
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(side, side)))
    sharp = np.fft.ifft2(noise * frequencies**-1.2).real
    blurred = ndimage.gaussian_filter(sharp, sigma, mode="wrap")
    photo = (blurred - blurred.min()) / np.ptp(blurred)
    return np.repeat(photo[..., None], 3, axis=-1)


@pytest.mark.parametrize("sigma", [0.0, 0.5, 0.7, 1.0])
def test_a_blur_is_found(sigma):
    assert spectral_variance(natural_photo(256, sigma)) == pytest.approx(sigma**2, abs=0.1)


def test_noise_hides_a_blur():
    noise = np.random.default_rng(1).normal(0, 0.02, (256, 256, 3))
    assert spectral_variance(natural_photo(256, 1.0) + noise) < 0.3  # a kernel by it is narrow: soft, but safe


def test_photos_without_a_spectrum():
    assert np.isnan(spectral_variance(np.full((100, 100, 3), 0.5)))
    assert np.isnan(spectral_variance(natural_photo(256, 1.0)[:60]))


def test_the_kernel_of_each_scale():
    """Every second pixel, and twice over: variances of 1 and 4 + 1 times the kernel's add up in the HR photo."""
    photo = natural_photo(128, 0.7)
    assert kernel_variance(photo, 2) == pytest.approx(4 * spectral_variance(photo))
    assert 5 * kernel_variance(photo, 4) == pytest.approx(16 * spectral_variance(photo))


@pytest.mark.parametrize(
    ("of_kernel", "of_spectrum", "factor"),
    [
        (2.0, 1.5, 0.75),
        (2.0, 0.1, 0.5),
        (2.0, -3.0, 0.5),
        (1.0, 1.0, 1.0),
        (1.0, 2.25, 1.5),
        (1.0, 9.0, 2.0),
        (1.0, np.nan, 1.0),
    ],
)
def test_the_narrower_one_counts_most(of_kernel, of_spectrum, factor):
    assert variance_factor(of_kernel, of_spectrum) == pytest.approx(factor)


def estimates(of_spectrum: float | None) -> list[Estimate]:
    row, column = np.ogrid[:13, :13]
    blob = np.exp(-((row - 6.5) ** 2) / 4 - (column - 6.5) ** 2 / 6)
    return [Estimate(0, blob / blob.sum(), np.zeros((3000, 3)), of_spectrum)]


@pytest.mark.parametrize("scale", [2, 4])
def test_combined_kernels_have_the_width_of_the_spectrum(scale):
    raw = raw_variance(estimates(None)[0].kernel)
    plain = combine(estimates(None), scale)
    np.testing.assert_array_equal(plain, finish(estimates(None)[0].kernel, scale))
    np.testing.assert_array_equal(plain, combine(estimates(raw), scale))
    for wanted in (0.6, 1.44):
        made = combine(estimates(wanted * raw), scale)
        assert variance(made) / variance(plain) == pytest.approx(min(wanted, wanted**0.5), rel=0.05)


def test_one_line_warns_of_a_much_narrower_kernel(caplog):
    with caplog.at_level(logging.WARNING):
        warn_of_width("a.png", estimates(None))
        warn_of_width("a.png", estimates(2.2))
        assert not caplog.records
        warn_of_width("b.png", estimates(1.6))
    (line,) = (record.getMessage() for record in caplog.records)
    assert "b.png: KernelGAN's kernel, of deviation 1.5" in line and "narrowed to 1.26" in line


@pytest.mark.slow
def test_the_published_recipes_are_left_alone(compiled_fast):
    photo = natural_photo(96, 0.7).astype(np.float32)
    for fidelity in ("paper", "mixed"):
        ((run,),) = estimate_kernels([photo], KernelGANOptions(seeds=1, steps=1, fidelity=fidelity))
        assert (run.spectral_variance is None) == (fidelity == "paper")
