"""Kernels of photos: kinds of photos, batches, seeds, progress."""

import numpy as np
import pytest
from PIL import Image

import jaxsr
from jaxsr.blind.kernelgan import estimation
from jaxsr.blind.kernelgan.estimation import Estimate, combine, estimate_kernel, estimate_kernels, rgb_photo
from jaxsr.blind.kernelgan.optimization import start
from jaxsr.data.images import read_pixels
from jaxsr.data.kernel_files import read_kernel
from jaxsr.degradations.centering import centre_of_mass, kernel_centre
from jaxsr.metrics.kernel_errors import kernel_error
from jaxsr.support.errors import UserError
from tests.blind.kernelgan.test_optimization import settled
from tests.helpers.devices import only

RNG = np.random.default_rng(0)


def photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return a photo of blocks and noise."""
    rng = np.random.default_rng(seed)
    blocks = rng.random((height // 8 + 1, width // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)[:height, :width]
    return np.float32(0.8 * blocks + 0.2 * rng.random((height, width, 3)))


def assert_same(first, second):
    """Compare two Estimates bit for bit."""
    np.testing.assert_array_equal(first.losses, second.losses)
    np.testing.assert_array_equal(first.kernel, second.kernel)


def assert_alike(first, second):
    """Compare two Estimates up to rounding."""
    np.testing.assert_allclose(first.losses, second.losses, rtol=1e-3)
    # Adam's first moves are signs, and rounding turns some
    np.testing.assert_allclose(first.kernel, second.kernel, atol=0.1 * np.abs(second.kernel).max())


def test_every_kind_of_photo_gives_its_colours(tmp_path):
    levels = RNG.integers(0, 256, (9, 7, 4), dtype=np.uint8)
    expected = np.float32(levels[..., :3]) / 255
    Image.fromarray(levels).save(tmp_path / "photo.png")
    deep = levels.astype(np.uint16) * 257
    for kind in (levels, Image.fromarray(levels), tmp_path / "photo.png", str(tmp_path / "photo.png"), deep, expected):
        np.testing.assert_allclose(rgb_photo(kind), expected, atol=1e-6)
    grey = np.repeat(expected[..., :1], 3, axis=-1)
    for kind in (levels[..., 0], levels[..., [0, 3]], levels[..., :1], Image.fromarray(levels[..., 0])):
        np.testing.assert_allclose(rgb_photo(kind), grey, atol=1e-6)


def test_neither_batch_nor_progress_changes_a_kernel():
    """Photos of several sizes, two seeds."""
    photos, told = [photo(90, 100), photo(140, 88, 1)], []
    together = estimate_kernels(photos, seeds=[0, 5], steps=4, progress=lambda *now: told.append(now), progress_every=3)
    again = estimate_kernels(photos, seeds=[0, 5], steps=4)
    assert [estimate.seed for estimates in together for estimate in estimates] == [0, 5] * 2
    for first, second in zip(together, again, strict=True):
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    assert [step for step, _ in told] == [3, 4] * 2 and set(told[1][1]) == {0, 1}
    np.testing.assert_allclose(
        told[1][1][0], together[0][0].kernel, rtol=1e-6
    )  # even seeds first: their rules' program
    assert len({e.kernel.tobytes() for estimates in together for e in estimates}) == 4  # each its own
    alone = estimate_kernels(photos[1:], seeds=[5], steps=4)[0][0]
    assert alone.losses.shape == (4, 3) and np.isfinite(alone.losses).all()
    assert_same(together[1][1], alone)


@pytest.mark.slow
def test_the_last_runs_have_fewer_devices():
    photos = [photo(90, 100), photo(140, 88, 1), photo(120, 96, 2)]
    together = estimate_kernels(photos, seeds=[0, 5], steps=4)
    assert [len(estimates) for estimates in together] == [2, 2, 2]
    assert_same(together[2][1], estimate_kernels(photos[2:], seeds=[5], steps=4)[0][0])


@pytest.mark.slow
def test_several_runs_on_a_device_are_as_good_as_alone(monkeypatch):
    """As on a GPU: two runs on each of four devices, with batched products."""
    alone = estimate_kernels([photo(90, 100, 1)], seeds=[3], steps=4)[0][0]
    monkeypatch.setattr(estimation, "at_once", lambda: 8)
    together = estimate_kernels([photo(100, 90), photo(90, 100, 1)], seeds=[0, 1, 2, 3], steps=4)[1][3]
    assert_alike(together, alone)


def with_devices(count, photos):
    """Return the kernels (n, 13, 13) and losses of 20 steps on so many devices."""
    with only(count):
        found = estimate_kernels(photos, fidelity="published_code", steps=20)
    return np.stack([runs[0].kernel for runs in found]), np.stack([runs[0].losses for runs in found])


@pytest.mark.slow
def test_any_number_of_devices_gives_the_same_bits(monkeypatch):
    """From a kernel that has its shape. Less than equal would not do: the two networks enlarge any other rounding."""
    monkeypatch.setattr(estimation, "start", lambda *arguments: settled(start(*arguments)))
    estimation._programs.cache_clear()
    photos = [photo(90, 100), photo(140, 88, 1), photo(120, 96, 2), photo(100, 100, 3)]
    four, two, one = (with_devices(count, photos) for count in (4, 2, 1))
    estimation._programs.cache_clear()
    for found in (two, one):
        for each, same in zip(found, four, strict=True):
            np.testing.assert_array_equal(each, same)


def test_runs_that_gave_up_are_left_out():
    rng = np.random.default_rng(0)
    good = [rng.random((13, 13)) / 84.5 for _ in range(2)]
    runs = [Estimate(seed, k, np.zeros((3000, 3))) for seed, k in enumerate([*good, -1e-6 * good[0]])]
    np.testing.assert_array_equal(combine(runs, 2), combine(runs[:2], 2))
    young = [Estimate(0, -1e-7 * good[0], np.zeros((5, 3)))]
    assert np.isfinite(combine(young, 2)).all()  # no time yet to come to anything
    with pytest.raises(UserError, match="no kernel was found with the seeds 2; try others"):
        combine(runs[2:], 2)


def test_mixed_rules_go_by_the_seed():
    """Even seeds follow the published code, odd ones the steady rules, whatever others are asked for."""
    pixels = [photo(90, 100)]
    mixed = estimate_kernels(pixels, seeds=[1, 2], steps=3)[0]
    steady, published = (
        estimate_kernels(pixels, seeds=[seed], fidelity=name, steps=3)[0][0]
        for seed, name in ((1, "steady"), (2, "published_code"))
    )
    assert_same(mixed[0], steady)
    assert_same(mixed[1], published)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((photo(80, 300),), "a photo of 300x80 pixels is too small"),
        ((np.full((100, 100), 0.5),), "the photo is flat"),
        ((photo(100, 100), 3), "scale=3: KernelGAN estimates kernels for the scales 2 and 4"),
        ((photo(100, 100) * 2,), r"float photos lie in \[0, 1\]"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(UserError, match=message):
        estimate_kernel(*arguments)


def test_mistaken_options_are_named():
    with pytest.raises(UserError, match="unknown fidelity 'papers'; did you mean 'paper'"):
        estimate_kernels([photo(100, 100)], fidelity="papers")
    with pytest.raises(UserError, match="steps=0 with 1 seeds"):
        estimate_kernels([photo(100, 100)], steps=0)


@pytest.mark.slow
@pytest.mark.shared
def test_a_kernel_of_div2krk(shared):
    folder = shared / "data" / "blind" / "DIV2KRK"
    pixels = read_pixels(folder / "lr_x2" / "im_62.png")
    kernel = jaxsr.estimate_kernel(pixels)
    assert kernel_error(kernel, read_kernel(folder / "gt_k_x2" / "kernel_62.mat")) < 0.25
    np.testing.assert_allclose(centre_of_mass(kernel), kernel_centre(13, 2) + (len(kernel) - 13) / 2, atol=0.02)
