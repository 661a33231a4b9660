"""Good pixels behind bad metadata are taken with a warning; missing pixels and false sizes are refused."""

import contextlib
import resource
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from jaxsr.data.images import photo_size, read_photo
from jaxsr.support.errors import UserError
from tests.helpers.odd_photos import bad_rationals, chunk, encoded, picture, png_with, tiff


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.img"


def read(path, data):
    path.write_bytes(data)
    return read_photo(path).pixels


def test_bad_rationals(path, caplog):
    whole, block = encoded("JPEG"), bad_rationals()
    damaged = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + whole[2:]
    turned = read(path, damaged)
    np.testing.assert_array_equal(turned, np.rot90(read(path, whole), -1))
    assert "broken EXIF tags were left out (1)" in caplog.text


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (png_with(chunk(b"pHYs", struct.pack(">IIB", 9, 9, 1), checksum=1)), "pHYs: CRC error"),
        (png_with(chunk(b"zTXt", b"workflow\0\0" + b"garbage")), ""),
        (png_with(chunk(b"iCCP", b"p\0\0" + b"garbage")), "iCCP"),
        (png_with(chunk(b"eXIf", b"garbage")), ""),
        (encoded("PNG")[:-12], ""),
        (encoded("PNG")[:-5], ""),
    ],
)
def test_png_with_bad_metadata(path, data, warning, caplog):
    np.testing.assert_array_equal(read(path, data), picture())
    assert warning in caplog.text


def test_large_texts_are_kept(path):
    text = "x" * 3_000_000
    read(path, png_with(chunk(b"zTXt", b"workflow\0\0" + zlib.compress(text.encode()))))
    assert read_photo(path).metadata.comments == (("workflow", text),)


@pytest.mark.parametrize("missing", [1, 2, 4])
def test_the_end_marker_of_jpeg(path, missing, caplog):
    whole = encoded("JPEG")
    pixels = read(path, whole)
    wrong = (read(path, whole[:-missing]) != pixels).any(-1)
    assert wrong.sum() <= (0 if missing < 3 else 17**2)
    assert ("end marker is missing" if missing < 3 else "the file ends early") in caplog.text


def test_jpeg_without_its_last_bytes(path, caplog):
    noisy = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    whole = encoded("JPEG", noisy)
    pixels = read(path, whole)
    shorter = read(path, whole[:-10])
    assert (shorter != pixels).any(-1).sum() <= 17**2 and "the file ends early" in caplog.text
    for missing in (500, len(whole) // 2):
        with pytest.raises(UserError, match="the file ends early, pixels are missing"):
            read(path, whole[:-missing])
    progressive = encoded("JPEG", noisy, progressive=True)
    with pytest.raises(UserError, match="the file ends early, pixels are missing"):
        read(path, progressive[:-10])


def test_jpeg_with_a_hole_is_refused(path):
    whole = encoded("JPEG", np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    with pytest.raises(UserError, match="unreadable"):
        read(path, whole[:1500] + whole[1900:])


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "GIF", "AVIF", "BMP"])
def test_other_formats_without_pixels_are_refused(path, kind):
    noisy = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    with pytest.raises(UserError, match="unreadable"):
        read(path, encoded(kind, noisy)[:-300])


def bomb(width, height):
    """Return a PNG file that declares a size and has no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb(2**31 - 1, 1), "unreadable"),
        (bomb(100_000, 6000), r"declares 100000 x 6000 pixels, 600 megapixels; at most 500 are read"),
        (bomb(20_000, 20_000), "claims 1200 MB of pixels in 57 bytes of data"),
        (tiff(20_000, 20_000, data=bytes(100), tile=256), "claims 1200 MB of pixels"),
        (tiff(20_000, 20_000, data=bytes(100), tile=16_384, compression=8), "unreadable"),
        (tiff(20_000, 20_000, data=bytes(100)), "claims 1200 MB of pixels"),
    ],
)
def test_false_sizes_cost_nothing(path, data, reason):
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=rf"a\.img: .*{reason}"):
        read_photo(path)
    photo_size(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_the_bound_is_the_callers(path):
    path.write_bytes(encoded("PNG"))
    with pytest.raises(UserError, match="66 x 48 pixels, 0 megapixels; at most 0.001 are read"):
        read_photo(path, max_pixels=1000)


def test_nothing_is_printed(path, capfd):
    for data in (encoded("PNG")[:-300], encoded("JPEG")[:-10], encoded("TIFF")[:-300], bomb(9, 9)):
        path.write_bytes(data)
        with contextlib.suppress(UserError):
            read_photo(path)
    assert "VIPS" not in "".join(capfd.readouterr())


def test_names_that_look_like_options(tmp_path):
    for name in ("x[1].png", "x.png[page=3]", "x,y=1.png", "100%.png", "über.png"):
        Image.fromarray(picture()).save(tmp_path / "a.png")
        (tmp_path / "a.png").rename(tmp_path / name)
        assert read_photo(tmp_path / name).pixels.shape == (48, 66, 3)


def test_what_is_said_of_a_broken_photo_is_not_of_the_one_before(tmp_path):
    """One buffer of libvips keeps lines, also those of files that it reads."""
    Image.fromarray(picture()).save(tmp_path / "a.avif")
    Image.fromarray(picture()).save(tmp_path / "b.png")
    content = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(content[: len(content) // 2])
    read_photo(tmp_path / "a.avif")
    with pytest.raises(UserError, match="b.png: unreadable") as error:
        read_photo(tmp_path / "b.png")
    assert "bad seek" not in str(error.value)
