"""What PIL images say of themselves, true or not."""

import io

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from jaxsr.data.codecs.pillow_photos import photo_of_image
from tests.helpers.odd_photos import picture


@pytest.mark.parametrize("dpi", [(float("nan"), 72), (float("inf"), 72), (0, 72), (72,), ("many", "few"), 72])
def test_a_resolution_that_is_none(dpi):
    image = Image.fromarray(picture())
    image.info["dpi"] = dpi
    assert photo_of_image(image).metadata.resolution is None


def test_a_tiff_file_of_pixels_per_nothing():
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "TIFF", tiffinfo={282: IFDRational(1, 0), 283: IFDRational(1, 0), 296: 2})
    with Image.open(file) as image:
        assert photo_of_image(image).metadata.resolution is None
