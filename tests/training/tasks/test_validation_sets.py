"""Photos and pairs that a run is scored on, from folders and from prepared data sets."""

import shutil

import numpy as np
import pytest
from PIL import Image

from jaxsr.data.builder import write_data_set
from jaxsr.data.samples import folder_photos
from jaxsr.support.errors import UserError
from jaxsr.training.tasks import deblur_task
from jaxsr.training.tasks.validation_sets import degraded_photos, named_records, validation_photos

RNG = np.random.default_rng(0)


def written(folder, *, channels, splits=("train", "validation")):
    """Return the data set of one sub-image in each of `splits`, and those by split."""
    images = {split: RNG.integers(0, 256, (48, 56, channels), dtype=np.uint8) for split in splits}
    examples = {split: [(f"{split}@1.0_0_0", image)] for split, image in images.items()}
    write_data_set(folder, examples, blurred=channels == 6)
    return folder, images


def test_a_prepared_set_gives_the_sub_images_that_it_has_to_validate_with(tiny, tmp_path):
    folder, images = written(tmp_path / "set", channels=3)
    config = tiny(**{"data.train": str(folder), "data.validation": str(folder)})
    (pair,) = degraded_photos(config).pairs
    assert pair.name == "validation@1.0_0_0"
    np.testing.assert_array_equal(pair.hr_levels, images["validation"])


def test_a_prepared_set_of_pairs_gives_pairs(tiny, tmp_path):
    folder, images = written(tmp_path / "set", channels=6)
    (pair,) = deblur_task.validation_set(tiny("deblurgan", "wild", **{"data.validation": str(folder)})).pairs
    np.testing.assert_array_equal(pair.hr_levels, images["validation"][..., :3])
    np.testing.assert_allclose(pair.lr, images["validation"][..., 3:] / 255, atol=1e-6)


def test_pairs_of_two_equal_photos_are_left_out_and_named(tiny, pairs, tmp_path, caplog):
    """A frame without motion has an infinite PSNR: no collapsed network would ever be noticed."""
    shutil.copytree(pairs, tmp_path / "pairs")
    config = tiny("deblurgan", "wild", **{"data.validation": str(tmp_path / "pairs")})
    shutil.copy(pairs / "sharp" / "photo1.png", tmp_path / "pairs" / "blur")
    found = deblur_task.validation_set(config)
    assert [pair.name for pair in found.pairs] == ["photo0", "photo2"] and found.photos == 2
    assert "left out 1 of 3 pairs, blurred and sharp photo are the same: photo1" in caplog.text
    for name in ("photo0.png", "photo2.png"):
        shutil.copy(pairs / "sharp" / name, tmp_path / "pairs" / "blur")
    with pytest.raises(UserError, match="data.validation: blurred and sharp photos are the same"):
        deblur_task.validation_set(config)


def test_sub_images_of_one_name_are_all_validated_on(tiny, tmp_path):
    """Photos of one name in two folders have them."""
    images = [RNG.integers(0, 256, (48, 48, 3), dtype=np.uint8) for _ in range(3)]
    examples = [(name, image) for name, image in zip("aba", images, strict=True)]
    write_data_set(tmp_path / "set", {"train": examples, "validation": examples})
    photos = validation_photos(tiny(**{"data.validation": str(tmp_path / "set")}))
    assert list(photos) == ["a", "b", "a_2"]
    np.testing.assert_array_equal(photos["a_2"], images[2])


def test_records_without_a_name_are_numbered():
    assert [name for name, _ in named_records([{"hr": 1}, {"hr": 2}])] == ["record", "record_1"]


def test_a_prepared_set_without_photos_to_validate_with_is_refused(tiny, tmp_path):
    folder, _ = written(tmp_path / "set", channels=3, splits=("train",))
    with pytest.raises(UserError, match="set holds no photos for validation, only for train; name photos, or make"):
        validation_photos(tiny(**{"data.validation": str(folder)}))


def test_the_home_folder_is_expanded(tiny, photos, monkeypatch):
    monkeypatch.setenv("HOME", str(photos.parent))
    assert validation_photos(tiny(**{"data.validation": f"~/{photos.name}"})).keys() == folder_photos(photos).keys()


def test_photos_that_are_too_small_are_left_out_and_named(tiny, photos, caplog):
    Image.new("RGB", (5, 6)).save(photos / "tiny.png")
    found = degraded_photos(tiny(**{"data.validation": str(photos)}))
    others = len(folder_photos(photos)) - 1
    assert found.photos == len(found.pairs) == others and "tiny.png" not in [pair.name for pair in found.pairs]
    assert f"data.validation: left out 1 of {others + 1} photos: tiny.png: 5x6x3 is too small" in caplog.text


def test_flat_photos_are_left_out_and_named(tiny, photos, caplog):
    """One infinite PSNR of bicubic's would make the mean infinite, and a collapsed network would never be noticed."""
    Image.new("RGB", (48, 48), (10, 200, 30)).save(photos / "flat.png")
    found = degraded_photos(tiny(**{"data.validation": str(photos)}))
    assert "flat.png" not in [pair.name for pair in found.pairs]
    assert "flat.png: a photo of one colour tells nothing of a network; use one with detail" in caplog.text


def test_a_folder_of_nothing_else_is_refused(tiny, tmp_path):
    Image.new("RGB", (5, 6)).save(tmp_path / "tiny.png")
    with pytest.raises(UserError, match="data.validation: tiny.png: 5x6x3 is too small to score at scale 2"):
        degraded_photos(tiny(**{"data.validation": str(tmp_path)}))


def test_an_empty_name_is_refused_by_the_name_of_the_field(tiny):
    with pytest.raises(UserError, match="data.validation is empty; name a folder of photos"):
        validation_photos(tiny(**{"data.validation": ""}))
