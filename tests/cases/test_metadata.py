"""Metadata comes out again: EXIF, XMP, profile, resolution, texts and colour chunks, where the format has them."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, IptcImagePlugin, PngImagePlugin

import jaxsr
from jaxsr.data.codecs.tag_blocks import RATIONAL, RESOLUTION_UNIT, SHORT, X_RESOLUTION, Y_RESOLUTION, Tag
from jaxsr.data.codecs.tag_writer import pack_directory
from jaxsr.data.images import Metadata, Photo, photo_size, read_photo, write_photo
from tests.helpers.odd_photos import TITLES, chunk, exif, picture, png_with, titles

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = ["png", "jpg", "tif", "webp", "avif"]


def saved(folder, suffix, **options):
    """Return a file with orientation 6 and all metadata that Pillow writes."""
    path = folder / f"a.{suffix}"
    options |= {"exif": exif(), "icc_profile": PROFILE}
    options |= {} if suffix in ("webp", "avif") else {"dpi": (300, 300)}
    Image.fromarray(picture()).save(path, **options | ({} if suffix == "png" else {"xmp": XMP}))
    return path


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_from_every_format_to_every_format(tmp_path, source, target):
    photo = read_photo(saved(tmp_path, source))
    assert photo.pixels.shape == (66, 48, 3) and photo_size(tmp_path / f"a.{source}") == (66, 48)
    path = tmp_path / f"b.{target}"
    write_photo(path, photo)
    with Image.open(path) as image:
        block = image.getexif()
        expected = TITLES if source != "tif" else [*TITLES[:3], *titles(_of(tmp_path / "a.tif"))[3:]]
        assert titles(block) == expected
        assert block.get(0x0112, 1) == 1 and image.info["icc_profile"] == PROFILE and image.size == (48, 66)
        inner = block.get_ifd(0x8769)
        assert (inner.get(0xA002, 48), inner.get(0xA003, 66)) == (48, 66)
    again = read_photo(path)
    assert again.pixels.shape == (66, 48, 3) and again.metadata.xmp == photo.metadata.xmp
    assert photo.metadata.xmp == (b"" if source in ("png", "tif") else XMP.replace(b'"6"', b'"1"'))
    if photo.metadata.resolution:
        np.testing.assert_allclose(again.metadata.resolution, 300 / 25.4, rtol=1e-4)


def _of(path):
    with Image.open(path) as image:
        image.load()
        block = image.getexif()
        block.get_ifd(0x8769), block.get_ifd(0x8825)
    return block


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_the_orientation_tag_is_gone(tmp_path, suffix):
    photo = read_photo(saved(tmp_path, "jpg"))
    write_photo(tmp_path / f"b.{suffix}", photo)
    with Image.open(tmp_path / f"b.{suffix}") as image:
        assert 0x0112 not in Image.Image.getexif(image) or photo.metadata.xmp  # where Pillow finds it, too
        block = Image.Exif()
        block.load(image.info["exif"])
        assert 0x0112 not in block


def test_the_orientation_in_xmp_alone(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.jpg", xmp=XMP)
    assert read_photo(tmp_path / "a.jpg").pixels.shape == (66, 48, 3)


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_orders_of_exif(tmp_path, order):
    """A big-endian block goes into a little-endian TIFF file."""
    block = exif()
    block.endian = order
    Image.fromarray(picture()).save(tmp_path / "a.jpg", exif=block.tobytes())
    write_photo(tmp_path / "b.tif", read_photo(tmp_path / "a.jpg"))
    assert titles(_of(tmp_path / "b.tif")) == TITLES


def test_an_unknown_resolution_stays_unknown(tmp_path):
    write_photo(tmp_path / "a.png", read_photo(_plain(tmp_path)))
    assert b"pHYs" not in (tmp_path / "a.png").read_bytes()
    assert read_photo(tmp_path / "a.png").metadata.resolution is None


def _plain(folder):
    (folder / "plain.png").write_bytes(png_with())
    return folder / "plain.png"


def test_texts(tmp_path, caplog):
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cat, 20 steps")
    info.add_text("workflow", "{}" * 5000, zip=True)
    info.add_itxt("Author", "Zoë")
    Image.fromarray(picture()).save(tmp_path / "a.png", pnginfo=info)
    photo = read_photo(tmp_path / "a.png")
    write_photo(tmp_path / "b.png", photo)
    with Image.open(tmp_path / "b.png") as image:
        assert image.text == {"parameters": "a cat, 20 steps", "workflow": "{}" * 5000, "Author": "Zoë"}
    assert not [record for record in caplog.records if record.name == "absl"]
    write_photo(tmp_path / "b.jpg", photo)
    assert "JPEG has no place for the text 'parameters', 'workflow', 'Author', which was left out" in caplog.text


def test_how_colours_are_meant(tmp_path, caplog):
    linear, pq = chunk(b"gAMA", struct.pack(">I", 100_000)), chunk(b"cICP", bytes([9, 16, 0, 1]))
    (tmp_path / "a.png").write_bytes(png_with(pq, linear))
    photo = read_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(photo.pixels, picture())
    write_photo(tmp_path / "b.png", photo)
    assert linear in (tmp_path / "b.png").read_bytes() and pq in (tmp_path / "b.png").read_bytes()
    np.testing.assert_array_equal(read_photo(tmp_path / "b.png").pixels, picture())
    write_photo(tmp_path / "b.webp", photo)
    assert "WebP has no place for how colours are meant (cICP, gAMA), which was left out" in caplog.text


@pytest.mark.parametrize(("suffix", "name"), [("webp", "WebP"), ("avif", "AVIF")])
def test_a_grey_colour_profile_where_photos_have_colours(suffix, name, tmp_path, caplog):
    profile = bytes(16) + b"GRAY" + bytes(108)
    write_photo(tmp_path / f"a.{suffix}", Photo(picture()[..., :1], icc_profile=profile))
    assert f"{name} has no place for the colour profile of a grey photo, which was left out" in caplog.text


def test_a_colour_profile_of_srgb_chunks_is_no_news(tmp_path, caplog):
    (tmp_path / "a.png").write_bytes(png_with(chunk(b"gAMA", struct.pack(">I", 45455))))
    write_photo(tmp_path / "b.webp", read_photo(tmp_path / "a.png"))
    assert "colours" not in caplog.text


def test_descriptions_of_the_layout_are_left_out(tmp_path):
    """Programs believe them before the tags, but they describe the photo before it was enlarged."""
    tifffile.imwrite(tmp_path / "a.tif", picture(), photometric="rgb", software="scanner")
    write_photo(tmp_path / "b.tif", read_photo(tmp_path / "a.tif"))
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert "ImageDescription" not in file.pages[0].tags and file.pages[0].tags["Software"].value == "scanner"


@pytest.mark.parametrize(("source", "target"), [("jpg", "jpg"), ("jpg", "tif"), ("tif", "tif"), ("tif", "jpg")])
def test_captions_are_kept_whole(tmp_path, source, target):
    caption = {(2, 120): b"29 bytes of a caption, or so."}
    block = b"\x1c\x02\x78\0\x1d" + caption[2, 120]
    write_photo(tmp_path / f"a.{source}", Photo(picture(), metadata=Metadata(iptc=block)))
    write_photo(tmp_path / f"b.{target}", read_photo(tmp_path / f"a.{source}"))
    with Image.open(tmp_path / f"b.{target}") as image:
        assert IptcImagePlugin.getiptcinfo(image) == caption


def _exif_of(tags):
    return b"II*\0" + struct.pack("<I", 8) + pack_directory(tags, "<", 8)


def test_a_resolution_without_a_value_is_none(tmp_path):
    unit = {RESOLUTION_UNIT: Tag(SHORT, b"\2\0")}
    block = _exif_of({0x010F: Tag(2, b"me\0"), X_RESOLUTION: Tag(RATIONAL), Y_RESOLUTION: Tag(RATIONAL), **unit})
    Image.fromarray(picture()).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + block)
    assert read_photo(tmp_path / "a.jpg").metadata.resolution is None


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("length", [10, 65400, 65470])
def test_very_fine_resolutions_and_very_long_exif(tmp_path, suffix, length):
    """Neither the ratio of the resolution nor the tags that are added for it may outgrow their place."""
    metadata = Metadata(exif=_exif_of({0x010F: Tag(2, b"m" * length + b"\0")}), resolution=(4e5, 4e5))
    write_photo(tmp_path / f"a.{suffix}", Photo(picture(), metadata=metadata))
    again = read_photo(tmp_path / f"a.{suffix}").metadata
    assert bool(again.exif) == (suffix != "jpg" or length < 65450)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_a_path_and_a_pil_image_give_the_same(tmp_path, suffix):
    """Pixels, orientation, profile and EXIF; the size in EXIF is that of the result."""
    path = saved(tmp_path, suffix)
    with Image.open(path) as opened:
        image = jaxsr.restore(opened, "bicubic", scale=2)
    np.testing.assert_array_equal(np.asarray(image), jaxsr.restore(path, "bicubic", scale=2))
    block = image.getexif()
    assert image.size == (96, 132) and image.info["icc_profile"] == PROFILE
    assert titles(block)[:3] == TITLES[:3] and block.get(0x0112, 1) == 1
    if suffix != "tif":
        assert titles(block) == TITLES and block.get_ifd(0x8769)[0xA002] == 96
        np.testing.assert_allclose(image.info.get("dpi", (300, 300)), 300, rtol=1e-4)


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "1", "L"])
def test_transparency_of_paths_and_pil_images_is_the_same(tmp_path, mode):
    pixels = picture(channels=4)
    image = Image.fromarray(pixels).convert("RGB" if mode in "P1L" else mode).convert(mode)
    options = {"transparency": 3} if mode in "PL" else {}
    image.save(tmp_path / "a.png", **options)
    with Image.open(tmp_path / "a.png") as opened:
        result = jaxsr.restore(opened, "bicubic", scale=2)
    expected = jaxsr.restore(tmp_path / "a.png", "bicubic", scale=2)
    np.testing.assert_array_equal(np.asarray(result).reshape(expected.shape), expected)
    assert result.mode == {"P": "RGBA", "L": "LA", "1": "L"}.get(mode, mode)
