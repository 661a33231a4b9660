"""The files of ../shared/cases: each gives what its table says, from the file to the restored file."""

import numpy as np
import pytest
import tifffile
from PIL import Image

import jaxsr
from jaxsr.data.images import read_photo
from jaxsr.restoration.photo_files import restore_files
from jaxsr.support.errors import UserError
from jaxsr.weights import load

pytestmark = pytest.mark.shared

TOLERANCES = {"rgba16_assoc.tif": 4, "rgb16_rot6.tif": 1, "badrational.jpg": 24, "rot6.jpg": 24, "short10.jpg": 24}
DEEP = ["rgb16_planar.tif", "rgb16.tif", "rgb16_rot6.tif", "rgba16_assoc.tif"]
METADATA = ["badrational.jpg", "bigztxt.png", "bigicc.png", "badcrc_phys.png", "short10.jpg"]
TURNED = ["rgb16_rot6.tif", "rot6.jpg", "badrational.jpg"]


@pytest.fixture(scope="module")
def cases(shared):
    return shared / "cases"


@pytest.fixture
def restored(cases, tmp_path):
    """Return a function that restores a file of the table, by bicubic x2, to a file with a suffix."""

    def restore(name, suffix=".png"):
        output = tmp_path / f"{name}{suffix}"
        assert restore_files(load("bicubic-x2"), {cases / name: output}) == {}
        return output

    return restore


def check_same(restored, name, reference):
    """Assert that the restored file `name` has the pixels of the restored `reference`, turned where it is."""
    result, expected = read_photo(restored(name)).pixels, read_photo(restored(reference)).pixels
    expected = np.rot90(expected, -1) if name in TURNED else expected
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result.astype(int), expected, atol=TOLERANCES.get(name, 0))


@pytest.mark.parametrize("name", DEEP)
def test_deep_photos(restored, name):
    check_same(restored, name, "rgb16.png")


@pytest.mark.parametrize("name", [*METADATA, "rot6.jpg"])
def test_photos_with_bad_metadata(restored, name, caplog):
    check_same(restored, name, "plain.png")
    warned = [record for record in caplog.records if record.name == "absl" and name in record.getMessage()]
    assert bool(warned) == (name in ("bigicc.png", "badcrc_phys.png", "short10.jpg"))  # the others lost nothing


def test_the_disc_has_no_fringe(restored, cases):
    photo = read_photo(restored("disc.png"))
    alpha = photo.bands[..., 3:] / 255
    assert ((photo.pixels * alpha + 255 * (1 - alpha)) @ [0.299, 0.587, 0.114]).min() > 205
    truth = np.load(cases / "truth_alpha.npy")
    assert truth.shape == alpha.shape[:2] and np.abs(alpha[..., 0] - truth / 255).mean() < 0.02


@pytest.mark.parametrize("name", ["rgb16_rot6.tif", "rot6.jpg"])
def test_turned_photos_are_upright_without_the_tag(restored, cases, name):
    with Image.open(restored(name)) as image, Image.open(cases / name) as original:
        block, source = image.getexif(), original.getexif()
        assert image.size == (96, 128) and 0x0112 not in block
        kept = {0x010E, 0x8298, 0x0132} & set(source) if name == "rot6.jpg" else {0x0131}
        assert kept and {tag: block[tag] for tag in kept} == {tag: source[tag] for tag in kept}
    if name == "rot6.jpg":  # Pillow has no 16-bit colour
        with Image.open(cases / name) as image:
            result = np.asarray(jaxsr.restore(image, "bicubic", scale=2))
        np.testing.assert_array_equal(result, jaxsr.restore(cases / name, "bicubic", scale=2))


def test_a_deep_colour_key(restored, cases):
    photo, stored = read_photo(restored("rgb16_key.png")), read_photo(cases / "rgb16_key.png")
    plain = read_photo(cases / "rgb16.png").pixels
    hidden = stored.bands[..., 3] == 0
    np.testing.assert_array_equal(stored.pixels, plain)
    assert hidden.any() and (plain[hidden] == plain[hidden][0]).all() and (stored.bands[..., 3][~hidden] == 65535).all()
    inside = np.flatnonzero(hidden.any(1)), np.flatnonzero(hidden.any(0))
    box = tuple(slice(2 * side[0] + 2, 2 * side[-1]) for side in inside)
    assert photo.depth == 16 and (photo.bands[..., 3][box] < 1000).all() and photo.bands[0, 0, 3] == 65535


def test_a_palette_with_alpha(restored):
    with Image.open(restored("pal_trns.png")) as image:
        assert image.mode == "RGBA" and len(np.unique(np.asarray(image)[..., 3])) > 2


def test_premultiplied_alpha(restored, caplog):
    photo = read_photo(restored("rgba16_assoc.tif"))
    assert photo.depth == 16 and photo.alpha is not None and abs(int(photo.alpha.mean()) - 32768) < 2
    assert "divided by the alpha" in caplog.text


def test_grey_with_alpha_as_tiff(restored, cases):
    path = restored("grey16_alpha.png", ".tif")
    photo = read_photo(path)
    assert photo.depth == 16 and photo.bands.shape == (144, 192, 2)
    np.testing.assert_array_equal(tifffile.imread(path), photo.bands)


def test_cmyk_and_float(restored, cases):
    assert read_photo(restored("cmyk16.tif")).pixels.dtype == np.uint16
    with pytest.raises(UserError, match=r"rgbf32\.tif: has 32 bits \(float\) per sample, of a range that no tag says"):
        read_photo(cases / "rgbf32.tif")


def test_white_is_zero(restored, cases):
    """The samples are the red of plain.png, and the less of it, the lighter."""
    photo, plain = read_photo(cases / "grey8_miniswhite.tif"), read_photo(cases / "plain.png")
    np.testing.assert_array_equal(photo.pixels[..., 0], 255 - plain.pixels[..., 0])
    enlarged = read_photo(restored("grey8_miniswhite.tif")).pixels[..., 0]
    np.testing.assert_allclose(enlarged, 255 - read_photo(restored("plain.png")).pixels[..., 0].astype(int), atol=1)


@pytest.mark.parametrize("folder", ["Set5/hr", "Set14/hr", "Set5/lr_x2", "Set14/lr_x4"])
def test_scored_photos_are_decoded_as_pillow_does(shared, folder):
    for path in sorted((shared / "data" / "test" / folder).iterdir()):
        with Image.open(path) as image:
            expected = np.asarray(image.convert("L" if image.mode == "L" else "RGB"))
        np.testing.assert_array_equal(read_photo(path).pixels, expected.reshape(*expected.shape[:2], -1))


def test_jpeg_is_decoded_as_pillow_does(shared):
    for path in sorted((shared / "data" / "train" / "BSDS400").glob("*.jpg"))[::40]:
        with Image.open(path) as image:
            np.testing.assert_array_equal(read_photo(path).pixels, np.asarray(image.convert("RGB")))
