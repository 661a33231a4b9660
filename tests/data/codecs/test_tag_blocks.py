import io
import random
import struct

import pytest

from jaxsr.data.codecs.tag_blocks import (
    BITS_PER_SAMPLE,
    DESCRIPTION,
    EXIF,
    ORIENTATION,
    RATIONAL,
    RESOLUTION_UNIT,
    SHORT,
    X_RESOLUTION,
    Y_RESOLUTION,
    orientation_in,
    read_tags,
    upright_xmp,
)
from jaxsr.data.codecs.tag_writer import exif_block
from tests.helpers.odd_photos import TITLES, exif, titles


def block_of(order):
    made = exif()
    made.endian = order
    return made.tobytes().removeprefix(b"Exif\0\0")


def block_with(*entries):
    """Return the tags of a block whose entries are (tag, type, count, value of two bytes)."""
    table = b"".join(struct.pack("<HHIHH", *entry, 0) for entry in entries)
    return read_tags(io.BytesIO(b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)))


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


@pytest.mark.parametrize("entry", [(RATIONAL, 0, 0), (SHORT, 1, 300)])
def test_a_resolution_that_is_no_ratio_is_none(entry):
    sides = [(number, *entry) for number in (X_RESOLUTION, Y_RESOLUTION)]
    assert block_with(*sides, (RESOLUTION_UNIT, SHORT, 1, 2)).resolution() is None


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_values_have_the_size_of_their_type(size):
    kinds = {1: (1, 2, 6, 7), 2: (3, 8), 4: (4, 9, 11, 13), 8: (5, 10, 12, 16, 17, 18)}[size]  # of TIFF and BigTIFF
    for kind in kinds:
        assert len(block_with((DESCRIPTION, kind, 1, 2)).tags[DESCRIPTION].data) == size


def test_numbers_of_64_bits():
    field = struct.pack("<HHQQ", ORIENTATION, 16, 1, 6)
    tags = read_tags(io.BytesIO(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1) + field + bytes(8)))
    assert tags is not None and tags.number(ORIENTATION) == 6


def test_broken_tags_are_counted_but_for_those_of_the_storage():
    unknown_type, beyond_the_end = (99, 1, 0), (SHORT, 900, 0)
    for broken in (unknown_type, beyond_the_end):
        tags = block_with((DESCRIPTION, *broken), (BITS_PER_SAMPLE, *broken), (ORIENTATION, SHORT, 1, 3))
        assert tags.broken == 1 and set(tags.tags) == {ORIENTATION}


@pytest.mark.parametrize(("said", "orientation"), [(0, 1), (1, 1), (8, 8), (9, 1)])
def test_an_orientation_that_there_is_not_is_upright(said, orientation):
    assert orientation_in(block_with((ORIENTATION, SHORT, 1, said)), b"") == orientation


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
