import io
import random
import struct

import pytest

from jaxsr.data.codecs.tag_blocks import EXIF, ORIENTATION, orientation_in, read_tags, upright_xmp
from jaxsr.data.codecs.tag_writer import exif_block
from tests.helpers.odd_photos import TITLES, exif, titles


def block_of(order):
    made = exif()
    made.endian = order
    return made.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_block_survives_but_for_its_orientation(order):
    from PIL import Image

    tags = read_tags(io.BytesIO(block_of(order)))
    assert tags is not None and tags.order == order and tags.number(ORIENTATION) == 6 and tags.broken == 0
    again = Image.Exif()
    again.load(exif_block(tags, (10, 20), (300 / 25.4, 150 / 25.4)))
    inner = again.get_ifd(EXIF)
    assert titles(again) == TITLES and 0x0112 not in again and (inner[0xA002], inner[0xA003]) == (10, 20)
    assert (again[282], again[283], again[296]) == (300, 150, 2)


def test_the_resolution_is_in_pixels_per_millimetre():
    tags = read_tags(io.BytesIO(block_of("<")))
    assert tags is not None and tags.resolution() is None
    again = read_tags(io.BytesIO(exif_block(tags, None, (4.0, 5.0))))
    assert again is not None and again.resolution() == (4.0, 5.0)


def test_damaged_blocks_never_raise():
    random_ = random.Random(0)
    whole = block_of(">")
    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(random_.choice([1, 3, 10])):
            damaged[random_.randrange(len(whole))] = random_.randrange(256)
        tags = read_tags(io.BytesIO(bytes(damaged[: random_.randrange(8, len(whole))])))
        if tags is not None:
            assert read_tags(io.BytesIO(exif_block(tags))) is not None or not exif_block(tags)


def test_a_directory_that_points_to_itself():
    entry = struct.pack("<HHII", EXIF, 4, 1, 8)
    tags = read_tags(io.BytesIO(b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)))
    assert tags is not None and tags.tags[EXIF].directory == {}


@pytest.mark.parametrize("block", [b"", b"II", b"garbage!" * 4, b"II*\0\xff\xff\xff\xff"])
def test_no_block(block):
    tags = read_tags(io.BytesIO(block))
    assert tags is None or not tags.tags


@pytest.mark.parametrize("xmp", [b'<a tiff:Orientation="8"/>', b"<tiff:Orientation>8</tiff:Orientation>"])
def test_the_orientation_in_xmp(xmp):
    assert orientation_in(None, xmp) == 8 and orientation_in(None, upright_xmp(xmp)) == 1
    assert orientation_in(read_tags(io.BytesIO(block_of("<"))), xmp) == 6
