import io
import re

import numpy as np
import png
import pytest
import tifffile
from PIL import Image, ImageCms

from jaxsr.data.images import Metadata, Photo, check_writable, photo_size, read_photo, read_pixels, write_photo
from jaxsr.support.errors import UserError

RGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pattern(channels, dtype=np.uint8, height=19, width=23):
    rng = np.random.default_rng(channels)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def photo_of(channels, dtype=np.uint8, alpha=False, profile=None):
    return Photo(pattern(channels, dtype), pattern(1, dtype)[::-1] if alpha else None, profile)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("suffix", "dtype"), [(".png", np.uint8), (".tif", np.uint8), (".PNG", np.uint16)])
def test_lossless_round_trip(tmp_path, suffix, dtype, channels, alpha):
    photo = photo_of(channels, dtype, alpha)
    write_photo(tmp_path / f"a{suffix}", photo)
    again = read_photo(tmp_path / f"a{suffix}")
    assert again.depth == np.dtype(dtype).itemsize * 8
    np.testing.assert_array_equal(again.bands, photo.bands)
    assert (again.alpha is not None) == alpha
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "avif"])
def test_a_resolution_without_exif_is_kept(tmp_path, suffix):
    resolution = (300 / 25.4, 200 / 25.4)
    write_photo(tmp_path / f"a.{suffix}", Photo(pattern(3), metadata=Metadata(resolution=resolution)))
    np.testing.assert_allclose(read_photo(tmp_path / f"a.{suffix}").metadata.resolution, resolution, rtol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_tiff_round_trip(tmp_path, channels):
    photo = photo_of(channels, np.uint16)
    write_photo(tmp_path / "a.tiff", photo)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tiff"), photo.pixels)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_foreign_16_bit_tiff(tmp_path, bands, compression, byteorder):
    pixels, path = pattern(bands, np.uint16), tmp_path / "a.tif"
    extra = ["unassalpha"] if bands == 4 else None
    kind = "minisblack" if bands == 1 else "rgb"
    tifffile.imwrite(path, pixels, photometric=kind, extrasamples=extra, compression=compression, byteorder=byteorder)
    np.testing.assert_array_equal(read_photo(path).bands, pixels)


def test_webp_is_lossless_and_keeps_hidden_colour(tmp_path):
    photo = photo_of(3, alpha=True)
    write_photo(tmp_path / "a.webp", photo)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.webp").bands, photo.bands)


def test_jpeg_keeps_chroma_and_refuses_transparency(tmp_path):
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    write_photo(tmp_path / "a.jpg", Photo(stripes, np.full((32, 32, 1), 255, np.uint8)))
    error = np.abs(read_pixels(tmp_path / "a.jpg").astype(int) - stripes)
    assert error.max() < 12  # with subsampled chroma: 99
    with pytest.raises(UserError, match="JPEG holds no transparency; write .png, .tif, .webp or .avif$"):
        write_photo(tmp_path / "b.jpg", photo_of(3, alpha=True))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_profile_is_kept(tmp_path, suffix, dtype):
    write_photo(tmp_path / f"a{suffix}", photo_of(3, dtype, profile=RGB_PROFILE))
    assert read_photo(tmp_path / f"a{suffix}").icc_profile == RGB_PROFILE


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_orientation_is_applied_once(tmp_path, suffix, orientation):
    stored = pattern(3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / f"a.{suffix}", exif=exif)
    rot = np.rot90
    upright = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: rot(stored, -1),
        7: rot(stored.transpose(1, 0, 2), 2),
        8: rot(stored),
    }
    np.testing.assert_array_equal(read_pixels(tmp_path / f"a.{suffix}"), upright[orientation])
    assert photo_size(tmp_path / f"a.{suffix}") == upright[orientation].shape[:2]


def test_the_size_is_known_without_the_pixels(tmp_path):
    write_photo(tmp_path / "deep.png", Photo(pattern(3, np.uint16)))
    whole = (tmp_path / "deep.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "none.png").write_text("no photo")
    assert photo_size(tmp_path / "deep.png") == photo_size(tmp_path / "cut.png") == pattern(3).shape[:2]
    assert photo_size(tmp_path / "none.png") is None is photo_size(tmp_path / "missing.png")


def test_palette_bilevel_and_cmyk(tmp_path):
    colours = np.array([[200, 10, 30], [5, 250, 90]], np.uint8)
    palette = Image.fromarray(np.array([[0, 1, 1]], np.uint8), "P")
    palette.putpalette(colours.tobytes())
    palette.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "p.png")[0], colours[[0, 1, 1]])

    palette.save(tmp_path / "t.png", transparency=b"\x80\xff")
    photo = read_photo(tmp_path / "t.png")
    np.testing.assert_array_equal(photo.pixels[0], colours[[0, 1, 1]])
    assert photo.alpha is not None and photo.alpha.ravel().tolist() == [128, 255, 255]

    Image.fromarray(np.array([[True, False]])).save(tmp_path / "b.png")
    assert read_pixels(tmp_path / "b.png").tolist() == [[[255], [0]]]

    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "c.jpg", icc_profile=b"\0" * 16 + b"CMYK")
    photo = read_photo(tmp_path / "c.jpg")
    np.testing.assert_allclose(photo.pixels[4, 4], [255, 0, 0], atol=2)
    assert photo.icc_profile is None


def encoded(kind):
    """Return the bytes of a noise image, which no decoder can complete from its first half."""
    buffer = io.BytesIO()
    if kind == "png16":
        png.Writer(64, 64, greyscale=False, bitdepth=16).write(buffer, pattern(3, np.uint16, 64, 64).reshape(64, -1))
    else:
        options = {"progressive": True} if kind == "progressive" else {}
        image = Image.fromarray(pattern(3, np.uint8, 64, 64))
        image.save(buffer, "JPEG" if kind == "progressive" else kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["png", "png16", "jpeg", "progressive", "webp", "tiff", "bmp"])
def test_truncated_file_raises(tmp_path, kind, part):
    whole = encoded(kind)
    path = tmp_path / "cut.img"
    path.write_bytes(whole)
    assert read_pixels(path).shape == (64, 64, 3)
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(UserError, match=r"cut\.img: (unreadable|not an image)") as raised:
        read_photo(path)
    assert "\n" not in str(raised.value)


def test_unreadable_inputs_are_named(tmp_path):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").touch()
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    for name, reason in {
        "gone.png": "no such file",
        "text.png": "not an image",
        "empty.png": "the file is empty; copy it again",
        "float.tif": "32 bits",
    }.items():
        with pytest.raises(UserError, match=rf"{name}: .*{reason}"):
            read_photo(tmp_path / name)


@pytest.mark.parametrize("suffix", ["gif", "tif", "webp", "png", "avif"])
def test_the_first_image_of_several_is_taken_with_a_warning(tmp_path, suffix, caplog):
    frames = [Image.new("RGB", (16, 16), value) for value in ("red", "blue")]
    frames[0].save(tmp_path / f"two.{suffix}", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(read_pixels(tmp_path / f"two.{suffix}")[8, 8], [255, 0, 0], atol=9)
    assert re.search("holds (2 images|an animation); the first", caplog.text)


def test_very_large_photo_opens_without_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # the limit comes to the photo, which saves minutes
    Image.fromarray(pattern(3)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.png"), pattern(3))
    assert Image.MAX_IMAGE_PIXELS == 100


def test_unknown_suffix_is_refused_before_work(tmp_path):
    check_writable("a.JPEG")
    with pytest.raises(UserError, match=r"unknown photo suffix '.pngg'; did you mean '.png'"):
        write_photo(tmp_path / "a.pngg", photo_of(3))
    assert not list(tmp_path.iterdir())
