"""What PIL images say of themselves, true or not, and the depths at which Pillow reads files."""

import io
import struct

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from jaxsr.data.codecs.photo_record import Photo
from jaxsr.data.codecs.pillow_photos import image_of_photo, photo_of_image
from jaxsr.data.images import read_photo
from jaxsr.support.errors import UserError
from tests.helpers.odd_photos import encoded, picture


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


def test_16_bit_pnm(tmp_path):
    grey = picture(np.uint16, 1)
    (tmp_path / "a.pgm").write_bytes(b"P5 66 48 65535\n" + grey.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_photo(tmp_path / "a.pgm").pixels, grey)
    for largest in (1023, 65535):
        (tmp_path / "a.ppm").write_bytes(b"P6 66 48 %d\n" % largest + picture(np.uint16).astype(">u2").tobytes())
        with pytest.raises(UserError, match="PNM samples that cannot be read at their depth; save it as PNG"):
            read_photo(tmp_path / "a.ppm")


def test_deep_colour_of_jpeg_2000_is_refused(tmp_path):
    """Pillow would keep 8 of its bits."""
    start, marker, rest = encoded("JPEG2000").partition(b"\xff\x4f\xff\x51")
    bits = b"\x0f\1\1" * 3  # 16 bits less one of each component, not subsampled
    (tmp_path / "a.jp2").write_bytes(start + marker + rest[:38] + bits + rest[47:])
    with pytest.raises(UserError, match="JPEG 2000 samples that cannot be read at their depth; save it as PNG"):
        read_photo(tmp_path / "a.jp2")


def test_bmp_of_16_bits_a_pixel(tmp_path):
    """These are 5 or 6 bits a channel, which 8 hold."""
    pixels = picture() & np.array([248, 252, 248], np.uint8)
    red, green, blue = np.moveaxis(pixels.astype(np.uint16), -1, 0)
    data = (red << 8 | green << 3 | blue >> 3).astype("<u2").tobytes()
    head = struct.pack("<IiiHHIIiiII", 40, 66, -48, 1, 16, 3, len(data), 0, 0, 0, 0)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    (tmp_path / "a.bmp").write_bytes(b"BM" + struct.pack("<IHHI", 66 + len(data), 0, 0, 66) + head + masks + data)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.bmp").pixels & np.array([248, 252, 248]), pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_has_the_depths_that_pillow_has(channels):
    pixels = np.random.default_rng(2).integers(0, 65536, (3, 4, channels), dtype=np.uint16)
    shallow = Photo((pixels // 257).astype(np.uint8))
    np.testing.assert_array_equal(photo_of_image(image_of_photo(shallow)).pixels, shallow.pixels)
    if channels == 1:
        np.testing.assert_array_equal(photo_of_image(image_of_photo(Photo(pixels))).pixels, pixels)
        return
    with pytest.raises(UserError, match="a PIL image holds no 16-bit colour or alpha; give the path, or an array"):
        image_of_photo(Photo(pixels))
