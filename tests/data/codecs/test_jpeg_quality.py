"""The quality that a JPEG was saved with is found again."""

import io

import pytest
from PIL import Image

from jaxsr.data.codecs.jpeg_quality import jpeg_quality
from tests.helpers.photos import smooth


@pytest.mark.parametrize("quality", [20, 49, 50, 51, 75, 90, 95, 100])
def test_the_quality_is_that_of_the_encoder(quality, tmp_path):
    Image.fromarray(smooth(20, 22)).save(tmp_path / "a.jpg", quality=quality)
    assert abs(jpeg_quality(tmp_path / "a.jpg") - quality) <= 1
    with Image.open(tmp_path / "a.jpg") as image:
        assert jpeg_quality(image) == jpeg_quality(str(tmp_path / "a.jpg"))


def test_the_strongest_compression_whose_steps_are_cut_off_is_still_told(tmp_path):
    Image.fromarray(smooth(20, 22)).save(tmp_path / "a.jpg", quality=2)
    assert jpeg_quality(tmp_path / "a.jpg") < 20


def test_other_photos_and_files_have_none(tmp_path):
    Image.fromarray(smooth(20, 22)).save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(b"no photo")
    cut = io.BytesIO()
    Image.fromarray(smooth(20, 22)).save(cut, "JPEG")
    (tmp_path / "c.jpg").write_bytes(cut.getvalue()[:30])
    photos = [tmp_path / "a.png", tmp_path / "b.jpg", tmp_path / "c.jpg", tmp_path / "none.jpg", smooth(12, 12)]
    assert [jpeg_quality(photo) for photo in photos] == [None] * 5
