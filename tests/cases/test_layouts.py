"""Layouts of samples that photo tools get wrong: right, at their depth, or refused with the true reason."""

import numpy as np
import png
import pytest
import tifffile
from PIL import Image

from jaxsr.data.images import read_photo, write_photo
from jaxsr.support.errors import UserError
from tests.helpers.odd_photos import encoded, picture, tiff

DEPTHS = (np.uint8, np.uint16)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tif"


def alpha_of(dtype):
    """Return an alpha band (48, 66) without 0."""
    white = np.iinfo(dtype).max
    return np.linspace(white // 8, white, 48 * 66).reshape(48, 66).astype(dtype)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("layout", ["contig", "separate", "tiles", "deflate", "bigtiff"])
def test_rgb(path, layout, dtype, byteorder):
    pixels = picture(dtype)
    planes = np.moveaxis(pixels, -1, 0) if layout == "separate" else pixels
    options = {"separate": {"planarconfig": "separate"}, "tiles": {"tile": (16, 16)}, "bigtiff": {"bigtiff": True}}
    options |= {"deflate": {"compression": "zlib", "predictor": True}}
    tifffile.imwrite(path, planes, photometric="rgb", byteorder=byteorder, **options.get(layout, {}))
    photo = read_photo(path)
    assert photo.pixels.dtype == dtype and photo.alpha is None
    np.testing.assert_array_equal(photo.pixels, pixels)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_white_may_be_zero(path, dtype):
    grey = picture(dtype, 1)[..., 0]
    tifffile.imwrite(path, np.iinfo(dtype).max - grey, photometric="miniswhite")
    np.testing.assert_array_equal(read_photo(path).pixels[..., 0], grey)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_alpha_that_was_multiplied_in_is_divided_out(path, dtype, caplog):
    pixels, alpha, white = picture(dtype), alpha_of(dtype), np.iinfo(dtype).max
    multiplied = np.rint(pixels * (alpha[..., None] / white)).astype(dtype)
    bands = np.concatenate([multiplied, alpha[..., None]], axis=-1)
    tifffile.imwrite(path, bands, photometric="rgb", extrasamples=["assocalpha"])
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.bands[..., 3], alpha)
    np.testing.assert_allclose(photo.pixels.astype(int), pixels, atol=8)  # alpha is an eighth of white or more
    assert "divided by the alpha" in caplog.text


@pytest.mark.parametrize("kinds", [["unassalpha"], ["unspecified"], ["unspecified", "unassalpha"]])
def test_extra_bands_are_what_the_file_says(path, kinds, caplog):
    pixels, alpha = picture(np.uint16), alpha_of(np.uint16)
    other = np.zeros_like(alpha)
    extra = [alpha if kind == "unassalpha" else other for kind in kinds]
    bands = np.concatenate([pixels, np.stack(extra, axis=-1)], axis=-1)
    tifffile.imwrite(path, bands, photometric="rgb", extrasamples=kinds)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert ("extra bands of unspecified meaning were left out (1)" in caplog.text) == ("unspecified" in kinds)
    if "unassalpha" in kinds:
        np.testing.assert_array_equal(photo.bands[..., 3], alpha)
    else:
        assert photo.alpha is None


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_grey_with_alpha_is_written_so_that_others_read_it(tmp_path, dtype, suffix):
    bands = np.stack([picture(dtype, 1)[..., 0], alpha_of(dtype)], axis=-1)
    tifffile.imwrite(
        tmp_path / "a.tif", bands, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"]
    )
    write_photo(tmp_path / f"b{suffix}", read_photo(tmp_path / "a.tif"))
    np.testing.assert_array_equal(read_photo(tmp_path / f"b{suffix}").bands, bands)
    if suffix == ".tif":
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), bands)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_cmyk_is_the_light_that_inks_leave(path, dtype):
    white = np.iinfo(dtype).max
    inks = picture(dtype, 4)
    tifffile.imwrite(path, inks, photometric="separated")
    light = (white - inks[..., :3].astype(float)) * (white - inks[..., 3:].astype(float)) / white
    photo = read_photo(path)
    assert photo.pixels.dtype == dtype
    np.testing.assert_allclose(photo.pixels, light, atol=1)


def test_cmyk_of_jpeg_is_as_pillow_has_it(tmp_path):
    Image.fromarray(picture()).convert("CMYK").save(tmp_path / "a.jpg", quality=95)  # inverted, as Adobe does
    with Image.open(tmp_path / "a.jpg") as image:
        np.testing.assert_array_equal(read_photo(tmp_path / "a.jpg").pixels, np.asarray(image.convert("RGB")))


def test_lab_becomes_rgb(path):
    lab = np.zeros((8, 8, 3), np.uint16)
    lab[..., 0] = 32768  # half of L*
    tifffile.imwrite(path, lab, photometric="cielab")
    np.testing.assert_allclose(read_photo(path).pixels / 65535, 119 / 255, atol=0.01)


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_png_of_16_bits_as_pypng_has_it(tmp_path, count, interlace):
    bands = picture(np.uint16, count)
    with (tmp_path / "a.png").open("wb") as file:
        options = {"greyscale": count < 3, "alpha": count % 2 == 0, "bitdepth": 16, "interlace": interlace}
        png.Writer(66, 48, **options).write(file, bands.reshape(48, -1))
    photo = read_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(photo.bands, bands)
    write_photo(tmp_path / "b.png", photo)
    width, height, rows, about = png.Reader(bytes=(tmp_path / "b.png").read_bytes()).read()
    assert (width, height, about["planes"], about["bitdepth"]) == (66, 48, count, 16)
    np.testing.assert_array_equal(np.stack([np.asarray(row) for row in rows]), bands.reshape(48, -1))


@pytest.mark.parametrize("key", [(0, 0, 0), (251 * 9 + 7,) * 3])
def test_a_colour_key_of_16_bits_is_transparent(tmp_path, key):
    pixels = picture(np.uint16)
    pixels[10:20, 5:30] = key
    with (tmp_path / "a.png").open("wb") as file:
        png.Writer(66, 48, greyscale=False, bitdepth=16, transparent=key).write(file, pixels.reshape(48, -1))
    photo = read_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(photo.pixels, pixels)
    np.testing.assert_array_equal(photo.bands[..., 3], np.where((pixels == key).all(-1), 0, 65535))


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros((9, 9), np.float32), r"has 32 bits \(float\) per sample"),
        (np.zeros((9, 9), np.float16), r"has 16 bits \(float\) per sample"),
        (np.zeros((9, 9), np.float64), r"has 64 bits \(float\) per sample"),
        (np.zeros((9, 9), np.complex64), r"has 64 bits \(complex\) per sample"),
        (np.zeros((9, 9), np.int16), r"has 16 bits \(signed\) per sample"),
        (np.zeros((9, 9), np.uint32), "has 32 bits per sample"),
    ],
)
def test_other_samples_are_refused_with_the_reason(path, samples, reason):
    tifffile.imwrite(path, samples, photometric="minisblack")
    with pytest.raises(UserError, match=rf"a\.tif: {reason}"):
        read_photo(path)


@pytest.mark.parametrize(("colours", "dtype"), [("cielab", np.uint8), ("icclab", np.uint8), ("icclab", np.uint16)])
def test_lab_is_no_rgb_and_no_damage(path, colours, dtype):
    tifffile.imwrite(path, picture(dtype), photometric=colours)
    with pytest.raises(UserError, match=r"a\.tif: has L\*a\*b\* colours .* save it as RGB"):
        read_photo(path)


def test_ycbcr_is_no_rgb(path):
    """But where JPEG compresses it, the decoder makes it RGB."""
    image = Image.fromarray(picture())
    image.convert("YCbCr").save(path, compression="tiff_lzw")
    with pytest.raises(UserError, match=r"a\.tif: has YCbCr colours .* save it as RGB"):
        read_photo(path)
    image.convert("YCbCr").save(path, compression="jpeg", quality=95)
    assert np.abs(read_photo(path).pixels.astype(int) - picture()).mean() < 6


def test_raw_photos_and_their_previews_are_no_photos(path):
    with tifffile.TiffWriter(path) as file:
        file.write(picture()[::4, ::4], photometric="rgb", subfiletype=1, subifds=1)
        file.write(picture(np.uint16, 1)[..., 0], photometric="cfa")
    with pytest.raises(UserError, match=r"a\.tif: is a camera's raw photo, or a preview of one; develop it"):
        read_photo(path)
    tifffile.imwrite(path, picture(np.uint16), photometric="linear_raw")
    with pytest.raises(UserError, match="raw photo"):
        read_photo(path)


def test_twelve_bits_are_no_garbage(path):
    path.write_bytes(tiff(64, 4, bits=12, channels=1, data=bytes(range(256)) + bytes(128)))
    with pytest.raises(UserError, match=r"a\.tif: unreadable"):
        read_photo(path)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "PPM", "JPEG2000", "AVIF", "WEBP"])
def test_the_less_common_formats(tmp_path, kind):
    options = {"WEBP": {"lossless": True}, "AVIF": {"subsampling": "4:4:4"}}.get(kind, {})
    (tmp_path / "a.img").write_bytes(encoded(kind, **options))
    photo = read_photo(tmp_path / "a.img")
    with Image.open(tmp_path / "a.img") as image:
        error = np.abs(photo.pixels.astype(int) - np.asarray(image.convert("RGB")))
    assert photo.pixels.shape == (48, 66, 3) and error.max() <= (2 if kind == "AVIF" else 0)


def test_heic(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    deep = heif.from_bytes(mode="RGB;16", size=(66, 48), data=picture(np.uint16).tobytes())
    for name, image, depth in (("a", heif.from_pillow(Image.fromarray(picture())), 8), ("b", deep, 16)):
        image.save(tmp_path / f"{name}.heic", quality=95, chroma=444)
        photo = read_photo(tmp_path / f"{name}.heic")
        assert photo.depth == depth and np.abs(photo.pixels / 257 ** (depth // 16) - picture()).mean() < 6
