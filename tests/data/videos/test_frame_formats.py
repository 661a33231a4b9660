"""Which format a restored video has, and pixels to frames and back."""

import av
import numpy as np
import pytest

from jaxsr.data.videos.frame_formats import BT601, BT709, UNSPECIFIED, frame_format, losses
from jaxsr.support.errors import UserError
from tests.helpers.photos import photo


@pytest.mark.parametrize(
    ("given", "coded", "array"),
    [
        ("yuv420p", "yuv420p", "rgb24"),
        ("yuvj420p", "yuv420p", "rgb24"),
        ("nv12", "yuv420p", "rgb24"),
        ("yuv411p", "yuv422p", "rgb24"),
        ("yuv440p", "yuv444p", "rgb24"),
        ("yuv422p10le", "yuv422p10le", "rgb48le"),
        ("yuv420p12le", "yuv420p10le", "rgb48le"),
        ("yuva444p", "yuv444p", "rgb24"),
        ("gray", "gray", "gray"),
        ("gray12le", "gray10le", "gray16le"),
        ("bgra", "rgb24", "rgb24"),
        ("gbrp10le", "yuv444p10le", "rgb48le"),
        ("pal8", "rgb24", "rgb24"),
    ],
)
def test_formats(given, coded, array):
    form = frame_format(av.VideoFrame(32, 24, given), 2)
    assert (form.coded, form.array) == (coded, array)
    assert form.encoder == ("libx264rgb" if coded == "rgb24" else "libx264")
    assert form.pixels(form.frame(form.pixels(av.VideoFrame(32, 24, given)))).shape == (
        24,
        32,
        1 if "gray" in given else 3,
    )


def test_a_palette_gives_its_colours():
    palette = np.random.default_rng(0).integers(0, 256, (256, 4), np.uint8)
    palette[:, 0] = 255  # opaque
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frame = av.VideoFrame.from_ndarray((indices, palette), format="pal8")
    np.testing.assert_array_equal(frame_format(frame, 2).pixels(frame), palette[indices, 1:])


def test_colour_is_halved_only_where_sides_are_even():
    def coded(width, height, scale):
        return frame_format(av.VideoFrame(width, height, "yuv420p"), scale).coded

    assert [coded(33, 24, 2), coded(33, 24, 3), coded(32, 21, 3), coded(32, 24, 3)] == [
        "yuv420p",
        "yuv444p",
        "yuv422p",
        "yuv420p",
    ]


def test_small_untagged_videos_that_become_large_are_tagged():
    def matrix(width, height, scale, pix_fmt="yuv420p"):
        return frame_format(av.VideoFrame(width, height, pix_fmt), scale).matrix

    assert matrix(480, 270, 3) == BT601
    assert matrix(160, 120, 2) == matrix(1920, 1080, 2) == UNSPECIFIED
    assert matrix(160, 120, 2, "gbrp10le") == BT709


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_survive(dtype, channels):
    """Grey and RGB of 8 bits as they are, others to within the rounding of 10 bits in limited range."""
    deep = dtype == np.uint16
    name = {(1, False): "gray", (3, False): "rgb24", (1, True): "gray10le", (3, True): "yuv444p10le"}[channels, deep]
    form = frame_format(av.VideoFrame(32, 24, name), 1)
    pixels = photo(24, 32, channels, dtype)
    result = form.pixels(form.frame(pixels))
    assert result.dtype == dtype
    np.testing.assert_allclose(result.astype(int), pixels, atol=160 if deep else 0)


def test_colours_that_are_no_linear_function_of_rgb_are_refused():
    frame = av.VideoFrame(32, 24, "yuv420p")
    frame.colorspace = 14  # ICtCp
    with pytest.raises(UserError, match="colour matrix 14"):
        frame_format(frame, 2)


@pytest.mark.parametrize(
    ("given", "lost"),
    [
        ("yuv420p", []),
        ("yuv440p", []),
        ("gray", []),
        ("yuv420p12le", ["12 bits become 10"]),
        ("bgra", ["transparency is lost"]),
    ],
)
def test_losses_are_named(given, lost):
    frame = av.VideoFrame(32, 24, given)
    assert losses(frame, frame_format(frame, 2)) == lost
