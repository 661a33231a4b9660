"""Files that photo tools stumble over, made in code: layouts of TIFF, metadata, damage."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.helpers.photos import smooth


def picture(dtype=np.uint8, channels=3):
    """Return a smooth photo (48, 66, channels) of `dtype`; every level of 16 bits has its own low byte."""
    levels = smooth(48, 66, channels)
    return levels if dtype == np.uint8 else levels.astype(np.uint16) * 251 + 7


def encoded(kind, pixels=None, **options):
    """Return the bytes of a file in Pillow's format `kind`."""
    buffer = io.BytesIO()
    image = Image.fromarray(picture() if pixels is None else pixels)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation=6):
    """Return PIL's EXIF with an orientation, a title, a date, a copyright, the size, a maker note and a place."""
    block = Image.Exif()
    block[0x0112], block[0x010E], block[0x8298], block[0x0132] = orientation, "A title", "(c) me", "2020:01:02 03:04:05"
    inner = block.get_ifd(0x8769)
    inner[0xA002], inner[0xA003], inner[0x829A], inner[0x927C] = 66, 48, 0.01, b"Maker\0\1\2\3"
    block.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 3.5)})
    return block


def titles(block):
    """Return what of `exif()` is in a block: title, copyright, date, exposure, maker note and latitude."""
    inner, place = block.get_ifd(0x8769), block.get_ifd(0x8825)
    return [block.get(0x010E), block.get(0x8298), block.get(0x0132), inner.get(0x829A), inner.get(0x927C), place.get(2)]


TITLES = ["A title", "(c) me", "2020:01:02 03:04:05", 0.01, b"Maker\0\1\2\3", (48.0, 12.0, 3.5)]


def chunk(name, data, checksum=None):
    """Return a PNG chunk, with a wrong checksum if one is given."""
    right = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", right if checksum is None else checksum)


def png_with(*chunks, pixels=None):
    """Return a PNG file with `chunks` after its header."""
    whole = encoded("PNG", pixels)
    return whole[:33] + b"".join(chunks) + whole[33:]


def bad_rationals():
    """Return an EXIF block whose resolutions are -1/0 and 0/0, with orientation 6."""
    entries = struct.pack("<HHII", 274, 3, 1, 6) + struct.pack("<HHII", 282, 10, 1, 62)
    entries += struct.pack("<HHII", 283, 5, 1, 70) + struct.pack("<HHII", 270, 2, 900, 9999)  # lies beyond the end
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 4) + entries + bytes(4) + struct.pack("<ii", -1, 0) + bytes(8)


def tiff(width, height, *, bits=8, channels=3, data=b"", tile=None, compression=1):
    """Return a TIFF file that declares what it is told to, with `data` as each of its tiles or as its only strip."""
    rgb = 2 if channels == 3 else 1
    tags = {256: width, 257: height, 258: bits, 259: compression, 262: rgb, 277: channels}
    if tile is None:
        tags |= {273: 8, 278: height, 279: len(data)}
        arrays = {}
    else:
        count = -(-width // tile) * -(-height // tile)
        tags |= {322: tile, 323: tile, 324: 0, 325: 0}
        arrays = {324: struct.pack(f"<{count}I", *[8] * count), 325: struct.pack(f"<{count}I", *[len(data)] * count)}
    start = 8 + len(data)
    place, values, table = start + 2 + 12 * len(tags) + 4, b"", b""
    for number, value in sorted(tags.items()):
        array = arrays.get(number, b"")
        long = len(array) > 4
        field = struct.pack("<I", place + len(values)) if long else array or struct.pack("<I", value)
        table += struct.pack("<HHI", number, 4, len(array) // 4 or 1) + field
        values += array if long else b""
    return b"II*\0" + struct.pack("<I", start) + data + struct.pack("<H", len(tags)) + table + bytes(4) + values
