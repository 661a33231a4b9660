import subprocess
import sys

import numpy as np
import pytest
from absl import logging
from PIL import Image

from jaxsr.data.samples import folder_photos, sample_photos, to_training_pixels
from jaxsr.support.errors import UserError


def test_samples_come_from_the_installed_wheel():
    train, validation = sample_photos("train"), sample_photos("validation")
    assert {name: photo.shape for name, photo in validation.items()} == {
        "chelsea": (300, 451, 3),
        "coffee": (400, 600, 3),
    }
    assert list(train) == ["astronaut", "ihc", "motorcycle_left", "motorcycle_right", "rocket"]
    assert train["astronaut"][0, 0].tolist() == [154, 147, 151]  # scikit-image 0.26, data.astronaut()
    with pytest.raises(UserError, match="unknown split"):
        sample_photos("test")


def test_folder_photos_become_rgb_and_broken_ones_are_named(tmp_path, monkeypatch):
    Image.new("L", (5, 4), 77).save(tmp_path / "grey.png")
    Image.fromarray(np.full((4, 5), 25700, np.uint16)).save(tmp_path / "deep.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    said = []
    monkeypatch.setattr(logging, "warning", lambda text, *values: said.append(text % values))
    photos = folder_photos(tmp_path)
    assert {name: photo[0, 0].tolist() for name, photo in photos.items()} == {
        "deep.png": [100] * 3,
        "grey.png": [77] * 3,
    }
    assert len(said) == 1 and "left out 1 " in said[0] and "broken.png" in said[0]


def test_photos_of_one_name_in_several_folders_are_all_there(tmp_path):
    for scene, level in (("a", 1), ("b", 2)):
        (tmp_path / scene).mkdir()
        Image.new("L", (5, 4), level).save(tmp_path / scene / "0001.png")
    photos = folder_photos(tmp_path / "*" / "*.png")
    assert {name: photo.max() for name, photo in photos.items()} == {
        "0001.png": 1,
        str(tmp_path / "b" / "0001.png"): 2,
    }


def test_folder_without_a_readable_photo(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no photo")
    with pytest.raises(UserError, match=r"no readable photo in .*broken\.png: not an image"):
        folder_photos(tmp_path)


def test_training_pixels_repeat_grey():
    grey = np.array([[[3], [9]]], np.uint8)
    assert to_training_pixels(grey).tolist() == [[[3] * 3, [9] * 3]]


def test_import_is_light():
    code = "import jaxsr.data.samples, sys; print({'jax', 'grain', 'skimage'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
