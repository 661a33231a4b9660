"""Deblurring: crops are what the kernels and the files say, and training goes through the real loop."""

import jax
import numpy as np
import pytest

from jaxsr.data.blurred_pairs import find_pairs
from jaxsr.data.images import Photo, read_pixels, write_photo
from jaxsr.data.sub_images import CropGrid, prepare
from jaxsr.degradations.blurring import blur
from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.training.config import default_config
from jaxsr.training.feeds import open_photos as opening
from jaxsr.training.feeds.blurred_feed import BlurredCrops, draw_bank
from jaxsr.training.loop import train
from jaxsr.training.tasks.deblur_task import crop_size, make_batch, open_feed
from jaxsr.weights import load
from tests.helpers.training import records, stop_after, weights

DEVICES = jax.local_devices()
SPEC = MODELS["deblurgan"]


@pytest.fixture(scope="module")
def pairs(photos, tmp_path_factory):
    """Return a folder of three pairs: the photos in red alone, and in blue alone where they are blurred."""
    folder = tmp_path_factory.mktemp("pairs")
    for path in sorted(photos.iterdir()):
        for name, colours in (("sharp", (1, 0, 0)), ("blur", (0, 0, 1))):
            write_photo(folder / name / path.name, Photo(read_pixels(path) * np.uint8(colours)))
    return folder


@pytest.fixture
def deblurring(photos):
    """Return a function that gives a config of a tiny DeblurGAN, with its fields changed."""

    def configure(**fields):
        config = default_config()
        config.update(batch_size=4, steps=4, log_every=2, validate_every=4, checkpoint_every=2)
        config.model.update(name="deblurgan", scale=1)
        config.model.options.update(features=4, blocks=1, dropout=0.0)
        config.data.update(train=str(photos), validation=str(photos), patch=16, kernel_size=16, shakes=4)
        config.data.update(degradation="motion", augment=False, stretch=0.0)
        config.task = "deblur"
        config.update_from_flattened_dict(fields)
        return config

    return configure


def drawn(config, count=8):
    """Return what a feed draws for `count` examples, as a step would see it, and their keys."""
    feed = open_feed(config, crop_size(config, SPEC), DEVICES[:1])
    keys = jax.random.split(jax.random.key(5), count)
    data = feed.data(1)
    parts = {name: data[name][0] if sharded else data[name] for name, sharded in feed.sharded.items()}
    return jax.jit(feed.draw)(parts, 0, keys), keys


@pytest.mark.slow
def test_each_example_has_a_kernel_of_the_bank_by_its_key(deblurring):
    config = deblurring(**{"data.exposures": (0.5, 1.0)})
    bank = np.asarray(draw_bank(config))
    assert bank.shape == (8, 16, 16)
    np.testing.assert_allclose(bank.sum(axis=(1, 2)), 1, rtol=1e-5)
    crops, _ = drawn(config, 40)
    assert crops.hr.shape == (40, 32, 32, 3) and crops.blurred is None and crops.is_pair is None
    found = [int(np.abs(bank - kernel[None]).max(axis=(1, 2)).argmin()) for kernel in np.asarray(crops.kernels)]
    assert set(found) == set(range(8))
    np.testing.assert_array_equal(crops.kernels, bank[found])
    again, _ = drawn(config, 40)
    np.testing.assert_array_equal(again.kernels, crops.kernels)
    other = np.asarray(draw_bank(deblurring(seed=1, **{"data.exposures": (0.5, 1.0)})))
    assert np.abs(other - bank).max() > 0.01


@pytest.mark.slow
def test_blurred_patches_are_those_of_the_whole_photo(deblurring):
    """A patch knows nothing of its crop's borders; it is rounded as a file's."""
    config = deblurring(**{"data.quantize_lr": True})
    photo = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    kernels = draw_bank(config)[:3]
    crops = BlurredCrops(np.repeat(photo[None, 32:64, 32:64], 3, axis=0), kernels)
    lr, hr, *_ = make_batch(config, SPEC, crops, jax.random.split(jax.random.key(0), 3))[1]
    assert lr.shape == hr.shape == (3, 16, 16, 3)
    np.testing.assert_allclose(hr[0], photo[40:56, 40:56] / 255, atol=1e-6)
    whole = blur(np.float32(np.repeat(photo[None] / 255, 3, axis=0)), kernels)[:, 40:56, 40:56]
    np.testing.assert_allclose(lr, whole, atol=0.51 / 255)
    np.testing.assert_allclose(lr * 255, np.rint(lr * 255), atol=1e-3)


@pytest.mark.slow
def test_noise_is_each_examples_own(deblurring):
    config = deblurring(**{"data.noise": 0.1})
    crops = BlurredCrops(np.full((2, 32, 32, 3), 128, np.uint8), draw_bank(config)[:2])
    keys = jax.random.split(jax.random.key(0), 2)
    lr = np.asarray(make_batch(config, SPEC, crops, keys)[1].lr)
    assert abs(lr.std() - 0.1) < 0.01 and np.abs(lr[0] - lr[1]).max() > 0.1
    alone = make_batch(config, SPEC, BlurredCrops(crops.hr[1:], crops.kernels[1:]), keys[1:])[1].lr
    np.testing.assert_allclose(alone[0], lr[1], atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_real_pairs_are_cropped_and_turned_alike(channels, deblurring, pairs):
    fields = {"data.pairs": str(pairs), "data.augment": True, "data.degradation": "bicubic"}
    config = deblurring(**fields, **{"model.options.channels": channels})
    assert crop_size(config, SPEC) == 16  # nothing is blurred, so no context
    crops, keys = drawn(config)
    assert crops.kernels is None and crops.hr[..., 1:].max() == 0 == crops.blurred[..., :2].max()
    lr, hr, *_ = make_batch(config, SPEC, crops, keys)[1]
    assert lr.shape == hr.shape == (8, 16, 16, channels)
    if channels == 3:
        sources = [read_pixels(path) for path in sorted((pairs / "sharp").iterdir())]
        for patch, other in zip(np.asarray(hr[..., 0]), np.asarray(lr[..., 2]), strict=True):
            assert any(_occurs(np.rint(patch * 255), source[..., 0]) for source in sources)
            assert other.std() > 0.01 and np.corrcoef(patch.ravel(), other.ravel())[0, 1] < 0.999


def _occurs(patch, photo):
    """Return whether one of the 8 turns of `patch` lies somewhere in `photo`."""
    windows = np.lib.stride_tricks.sliding_window_view(photo, patch.shape)
    turned = [np.rot90(p, k) for p in (patch, patch[::-1]) for k in range(4)]
    return any((windows == p).all(axis=(2, 3)).any() for p in turned)


@pytest.mark.slow
def test_a_mix_holds_both_sorts_each_by_its_key(deblurring, pairs):
    config = deblurring(**{"data.pairs": str(pairs), "data.synthetic_share": 2 / 3})
    crops, keys = drawn(config, 300)
    is_pair = np.asarray(crops.is_pair)
    assert 0.25 < is_pair.mean() < 0.42
    assert crops.hr[is_pair][..., 1:].max() == 0 and (crops.hr[~is_pair][..., 1:].max(axis=(1, 2, 3)) > 0).all()
    lr = np.asarray(make_batch(config, SPEC, crops, keys)[1].lr)
    np.testing.assert_allclose(lr[is_pair] * 255, crops.blurred[is_pair][:, 8:24, 8:24], atol=1e-4)
    synthetic = blur(np.float32(crops.hr[~is_pair] / 255), crops.kernels[~is_pair])[:, 8:24, 8:24]
    np.testing.assert_allclose(lr[~is_pair], synthetic, atol=2e-6)


@pytest.fixture(scope="module")
def data_set(pairs, tmp_path_factory):
    """Return a prepared data set of the pairs."""
    folder = tmp_path_factory.mktemp("data") / "set"
    prepare({"train": find_pairs(pairs)}, CropGrid(64, 40), folder)
    return folder


def test_streamed_pairs_beside_resident_photos(deblurring, data_set):
    config = deblurring(**{"data.pairs": str(data_set), "data.synthetic_share": 0.5})
    feed = open_feed(config, 32, DEVICES)
    assert feed.sharded == {"pairs": True, "photos": False, "kernels": False}
    assert feed.data(1)["pairs"].shape == (4, 1, 1, 32, 32, 6)
    crops, _ = drawn(config, 4)
    assert crops.blurred[..., :2].max() == 0 < crops.blurred[..., 2].max()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["synthetic", "resident", "streamed mix"])
def test_training_resumes_bit_for_bit(kind, deblurring, pairs, data_set, tmp_path):
    fields = {
        "synthetic": {},
        "resident": {"data.pairs": str(pairs), "data.validation": str(pairs)},
        "streamed mix": {"data.pairs": str(data_set), "data.synthetic_share": 0.5},
    }[kind]
    train(deblurring(**fields), tmp_path / "whole")
    stop_after(2, deblurring(**fields), tmp_path / "halves")
    train(deblurring(**fields), tmp_path / "halves")
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert len(whole) > 10
    for name in whole:
        np.testing.assert_array_equal(whole[name], halves[name])
    (scored,) = records(tmp_path / "whole", "validation")
    card = load(tmp_path / "whole").card["scores"]
    assert card[0]["protocol"]["name"] == "rgb" and card[0]["input"]["psnr"] == scored["input_psnr"]
    picture = read_pixels(tmp_path / "whole" / "samples" / "step_00000004.png")
    assert picture.shape[0] > 3 * 128  # a row for each photo, and its labels


@pytest.mark.slow
def test_mistakes_are_reported_before_anything_is_written(deblurring, pairs, data_set, tmp_path, monkeypatch):
    write_photo(tmp_path / "odd" / "blur" / "a.png", Photo(np.zeros((40, 40, 3), np.uint8)))
    write_photo(tmp_path / "odd" / "sharp" / "a.png", Photo(np.zeros((40, 41, 3), np.uint8)))
    cases = [
        (
            {"data.degradation": "bicubic"},
            "deblurgan at scale 1 does not learn from data.degradation='bicubic'; deblurring has",
        ),
        ({"model.name": "espcn", "model.scale": 2, "model.options": {}}, "espcn at scale 2 does not learn from"),
        ({"data.patch": 50}, "data.patch=50 must be a multiple of 4, deblurgan's network takes no other"),
        ({"data.patch": 4}, "data.patch=4 must be .* and at least 5"),
        ({"data.noise": -0.1}, "data.noise=-0.1 must lie in"),
        ({"data.pairs": str(pairs), "data.noise": 0.1}, "data.noise=0.1 must lie in .* is for data.degradation"),
        ({"data.synthetic_share": 0.5}, "data.synthetic_share=0.5 must lie in .* is for --config.data.pairs"),
        (
            {"data.pairs": str(pairs), "data.synthetic_share": 0.5, "data.degradation": "bicubic"},
            'data.synthetic_share=0.5 needs --config.data.degradation="motion"',
        ),
        ({"data.exposures": (1.5,)}, "exposures=.*shares of the time must lie in"),
        ({"data.kernel_size": 2}, "kernel_size=2 leaves a motion kernel no room"),
        ({"data.shakes": 0}, "data.shakes=0 must be at least 1"),
        ({"data.pairs": str(tmp_path / "gone")}, "gone holds no pairs"),
        (
            {"data.pairs": str(tmp_path / "odd")},
            "1 of 1 pairs in .*odd cannot be used.*40x40 pixels, the sharp one 41x40",
        ),
        ({"data.pairs": str(pairs), "data.patch": 200}, "no training photo has 200 pixels a side"),
    ]
    for fields, message in cases:
        with pytest.raises(UserError, match=message):
            train(deblurring(**fields), tmp_path / "run")
    monkeypatch.setattr(opening, "RESIDENT_LIMIT", 1000)
    with pytest.raises(UserError, match=r"the photos of data.pairs exceed .*python -m jaxsr.prepare_data"):
        train(deblurring(**{"data.pairs": str(pairs)}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
