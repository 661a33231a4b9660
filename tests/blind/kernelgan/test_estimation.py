"""Kernels of photos: kinds of photos, batches, seeds, progress."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import jaxsr
from jaxsr.blind.kernelgan import parallel_runs
from jaxsr.blind.kernelgan.estimation import combine, estimate_kernel, estimate_kernels, rgb_photo
from jaxsr.blind.kernelgan.kernelgan_options import KernelGANOptions
from jaxsr.blind.kernelgan.optimization import start
from jaxsr.blind.kernelgan.parallel_runs import Estimate
from jaxsr.data.images import read_pixels
from jaxsr.data.kernel_files import read_kernel
from jaxsr.degradations.centering import centre_of_mass, kernel_centre
from jaxsr.metrics.kernel_errors import kernel_error
from jaxsr.support.errors import UserError
from tests.helpers.blind import assert_alike, assert_same_estimate, block_photo, settled
from tests.helpers.devices import only

RNG = np.random.default_rng(0)
# Of sizes that are padded to the same one, so that two devices, or one, compile once for each recipe
PHOTOS = [block_photo(90, 100), block_photo(110, 88, 1)]
QUICK = KernelGANOptions(seeds=2, steps=4)


def estimates(photos, **options):
    """Return the estimates of `photos` with QUICK options but for `options`."""
    return estimate_kernels(photos, dataclasses.replace(QUICK, **options))


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


@pytest.mark.parametrize("mode", ["1", "P", "PA", "LA", "CMYK", "YCbCr", "I;16B"])
def test_pil_images_of_every_mode_give_their_colours(mode):
    """Not the numbers that they are stored as: indices of a palette, inks, luma and chroma."""
    levels = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    image = Image.fromarray(levels[..., 0] if mode in ("LA", "PA") else levels)
    if mode == "I;16B":
        image = Image.frombytes(mode, (7, 9), (levels[..., 0].astype(">u2") * 257).tobytes())
        expected = levels[..., :1]
    else:
        image = image.convert("LA" if mode == "PA" else mode).convert(mode)
        expected = np.asarray(image.convert("RGB"))
    np.testing.assert_allclose(rgb_photo(image), np.broadcast_to(np.float32(expected) / 255, (9, 7, 3)), atol=1e-6)


def test_pil_images_are_turned_upright(tmp_path):
    """A kernel of a photo that lies on its side would be transposed."""
    image = Image.fromarray(RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6  # Orientation: the top is at the right
    image.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as turned:
        np.testing.assert_array_equal(rgb_photo(turned), rgb_photo(tmp_path / "turned.png"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Image.new("HSV", (9, 9)), "cannot take a PIL image of mode HSV; convert it"),
        (np.ma.zeros((9, 9)), "a masked array lacks pixels; fill them"),
        (None, r"a photo has shape \(H, W\)"),
    ],
)
def test_other_photos_are_refused(given, message):
    with pytest.raises(UserError, match=message):
        rgb_photo(given)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_levels_are_divided_in_single_precision(dtype):
    """Published kernel errors depend on every bit of the photo."""
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(256, -1)
    expected = levels.astype(np.float32) / np.float32(np.iinfo(dtype).max)
    np.testing.assert_array_equal(rgb_photo(levels)[..., 0], expected)


@pytest.mark.slow
def test_neither_batch_nor_progress_changes_a_kernel(compiled_fast):
    """Photos of several sizes, two seeds, two recipes."""
    pictured, counts = [], []
    together = estimate_kernels(
        PHOTOS,
        dataclasses.replace(QUICK, pictures_every=3),
        progress=lambda *now: counts.append(now),
        on_kernels=lambda *now: pictured.append(now),
    )
    again = estimates(PHOTOS)
    assert [estimate.seed for runs in together for estimate in runs] == [0, 1] * 2
    for first, second in zip(together, again, strict=True):
        for one, other in zip(first, second, strict=True):
            assert_same_estimate(one, other)
    assert [step for step, _ in pictured] == [3, 4] * 2 and set(pictured[1][1]) == {0, 1}
    # even seeds first: those of their recipe's program
    np.testing.assert_allclose(pictured[1][1][0], together[0][0].kernel, rtol=1e-6)
    assert counts == [(6, 16), (8, 16), (14, 16), (16, 16)]
    assert len({e.kernel.tobytes() for runs in together for e in runs}) == 4  # each its own
    alone = estimates(PHOTOS[1:], seed=1, seeds=1)[0][0]
    assert alone.losses.shape == (4, 3) and np.isfinite(alone.losses).all()
    assert_same_estimate(together[1][1], alone)


@pytest.mark.slow
def test_the_last_runs_have_fewer_devices():
    photos = [*PHOTOS, block_photo(120, 96, 2)]
    together = estimates(photos)
    assert [len(runs) for runs in together] == [2, 2, 2]
    assert_same_estimate(together[2][1], estimates(photos[2:], seed=1, seeds=1)[0][0])


@pytest.mark.slow
def test_several_runs_on_a_device_are_as_good_as_alone(monkeypatch):
    """As on a GPU: two runs on each of four devices, with batched products."""
    alone = estimates(PHOTOS[1:], seed=3, seeds=1)[0][0]
    monkeypatch.setattr(parallel_runs, "runs_per_batch", lambda: 8)
    together = estimates(PHOTOS, seeds=4)[1][3]
    assert_alike(together, alone)


def with_devices(count, photos):
    """Return the kernels (n, 13, 13) and losses of 20 steps on so many devices."""
    with only(count):
        results = estimates(photos, fidelity="published_code", steps=20, seeds=1)
    return np.stack([runs[0].kernel for runs in results]), np.stack([runs[0].losses for runs in results])


@pytest.mark.slow
@pytest.mark.emitters
def test_any_number_of_devices_gives_the_same_bits(monkeypatch):
    """From a kernel that has its shape. Less than equal would not do: the two networks amplify any other rounding."""
    monkeypatch.setattr(parallel_runs, "start", lambda *arguments: settled(start(*arguments)))
    parallel_runs._start_program.cache_clear()
    photos = [block_photo(90, 100), block_photo(140, 88, 1), block_photo(120, 96, 2), block_photo(100, 100, 3)]
    four, two, one = (with_devices(count, photos) for count in (4, 2, 1))
    parallel_runs._start_program.cache_clear()
    for results in (two, one):
        for each, same in zip(results, four, strict=True):
            np.testing.assert_array_equal(each, same)


def test_collapsed_runs_are_left_out():
    rng = np.random.default_rng(0)
    good = [rng.random((13, 13)) / 84.5 for _ in range(2)]
    runs = [Estimate(seed, k, np.zeros((3000, 3))) for seed, k in enumerate([*good, -1e-6 * good[0]])]
    np.testing.assert_array_equal(combine(runs, 2), combine(runs[:2], 2))
    young = [Estimate(0, -1e-7 * good[0], np.zeros((5, 3)))]
    assert np.isfinite(combine(young, 2)).all()  # no time yet to come to anything
    with pytest.raises(UserError, match="no kernel was found with the seeds 2; try others"):
        combine(runs[2:], 2)


@pytest.mark.slow
def test_mixed_recipes_go_by_the_seed(compiled_fast):
    """Even seeds follow the published code, odd ones the steady recipe, whatever others are asked for."""
    mixed = estimates(PHOTOS, seed=1)
    steady = estimates(PHOTOS, seed=1, seeds=1, fidelity="steady")
    published = estimates(PHOTOS, seed=2, seeds=1, fidelity="published_code")
    for runs, first, second in zip(mixed, steady, published, strict=True):
        assert_same_estimate(runs[0], first[0])
        assert_same_estimate(runs[1], second[0])


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (block_photo(80, 300), {}, "a photo of 300x80 pixels is too small"),
        (np.full((100, 100), 0.5), {}, "the photo is flat"),
        (block_photo(100, 100), {"scale": 3}, "scale=3: KernelGAN estimates kernels for the scales 2 and 4"),
        (block_photo(100, 100), {"fidelity": "papers"}, "unknown fidelity 'papers'; did you mean 'paper'"),
        (block_photo(100, 100) * 2, {}, r"float photos lie in \[0, 1\]"),
    ],
)
def test_mistakes_are_named(image, options, message):
    with pytest.raises(UserError, match=message):
        estimate_kernel(image, **options)


@pytest.mark.slow
@pytest.mark.shared
def test_a_kernel_of_div2krk(shared):
    folder = shared / "data" / "blind" / "DIV2KRK"
    pixels = read_pixels(folder / "lr_x2" / "im_62.png")
    kernel = jaxsr.estimate_kernel(pixels)
    assert kernel_error(kernel, read_kernel(folder / "gt_k_x2" / "kernel_62.mat")) < 0.25
    np.testing.assert_allclose(centre_of_mass(kernel), kernel_centre(13, 2) + (len(kernel) - 13) / 2, atol=0.02)
