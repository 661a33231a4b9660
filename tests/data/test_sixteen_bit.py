import numpy as np
import png
import pytest
from PIL import Image

from jaxsr.data.sixteen_bit import is_deep, read_deep, write_deep_png


def bands_of(count):
    return np.random.default_rng(count).integers(0, 65536, (13, 17, count), np.uint16)


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_reads_what_pypng_wrote(tmp_path, count, interlace):
    bands, path = bands_of(count), tmp_path / "a.png"
    writer = png.Writer(17, 13, greyscale=count < 3, alpha=count % 2 == 0, bitdepth=16, interlace=interlace)
    with path.open("wb") as file:
        writer.write(file, bands.reshape(13, -1))
    with Image.open(path) as image:
        assert is_deep(image)
    np.testing.assert_array_equal(read_deep(path), bands)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_pypng_reads_what_was_written(tmp_path, count):
    bands, path = bands_of(count), tmp_path / "a.png"
    write_deep_png(path, bands, None)
    width, height, rows, about = png.Reader(bytes=path.read_bytes()).read()
    assert (width, height, about["planes"], about["bitdepth"]) == (17, 13, count, 16)
    np.testing.assert_array_equal(np.stack([np.asarray(row) for row in rows]), bands.reshape(13, -1))


def test_8_bit_is_not_deep(tmp_path):
    Image.new("RGB", (3, 3)).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert not is_deep(image)
    assert not is_deep(Image.new("RGB", (3, 3)))
