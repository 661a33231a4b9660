"""Blurred photos beside sharp ones: both layouts, and what does not fit named in one line."""

import numpy as np
import pytest

from jaxsr.data.blurred_pairs import find_pairs, folder_pairs, holds_pairs
from jaxsr.data.images import Photo, write_photo
from jaxsr.support.errors import UserError


def pixels(seed, height=20, width=24, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Return a folder of two pairs, one grey, of different suffixes."""
    for i, name in enumerate(("a", "b")):
        write_photo(tmp_path / "sharp" / f"{name}.png", Photo(pixels(i, channels=1 + 2 * i)))
        write_photo(tmp_path / "blur" / f"{name}.tif", Photo(pixels(10 + i, channels=1 + 2 * i)))
    return tmp_path


def test_pairs_by_name_sharp_first(folder):
    photos = dict(folder_pairs(folder))
    assert list(photos) == ["a", "b"] and photos["a"].shape == (20, 24, 6)
    np.testing.assert_array_equal(photos["b"], np.concatenate([pixels(1), pixels(11)], axis=-1))
    np.testing.assert_array_equal(photos["a"][..., 3:], pixels(10, channels=1).repeat(3, -1))


def test_scenes_have_their_names_before(tmp_path):
    for scene in ("GOPR1", "GOPR2"):
        for kind in ("sharp", "blur", "blur_gamma"):
            write_photo(tmp_path / scene / kind / "000047.png", Photo(pixels(0)))
    assert [pair.name for pair in find_pairs(tmp_path)] == ["GOPR1_000047", "GOPR2_000047"]
    assert find_pairs(tmp_path)[1].blurred == tmp_path / "GOPR2" / "blur" / "000047.png"
    write_photo(tmp_path / "beside" / "cover.png", Photo(pixels(0)))
    assert holds_pairs(tmp_path)
    write_photo(tmp_path / "cover.png", Photo(pixels(0)))
    assert not holds_pairs(tmp_path)  # a folder of photos, whatever else lies in it
    (tmp_path / "cover.png").unlink()
    (tmp_path / "GOPR3" / "sharp").mkdir(parents=True)
    with pytest.raises(UserError, match="folder .*GOPR3/sharp holds no photos"):
        find_pairs(tmp_path)


def test_no_pair_is_lost_to_another_of_its_name(tmp_path):
    for number, path in enumerate(("a/sharp/b_c.png", "a_b/sharp/c.jpg", "a_b/sharp/c.png")):
        for kind in ("sharp", "blur"):
            write_photo(tmp_path / path.replace("sharp", kind), Photo(pixels(number)))
    assert len(dict(folder_pairs(tmp_path))) == len(find_pairs(tmp_path)) == 3


def test_other_folders_are_none(tmp_path):
    write_photo(tmp_path / "blur" / "a.png", Photo(pixels(0)))
    assert not holds_pairs(tmp_path) and not holds_pairs(tmp_path / "gone")
    with pytest.raises(UserError, match="holds no pairs; put photos of equal names in .*/blur and .*/sharp"):
        find_pairs(tmp_path)


def test_names_without_a_partner_are_named(folder):
    (folder / "blur" / "b.tif").rename(folder / "blur" / "c.tif")
    with pytest.raises(UserError, match=r"2 sharp and 2 blurred photos do not pair; first without a partner: .*b\.png"):
        find_pairs(folder)
    (folder / "blur" / "a.tif").rename(folder / "blur" / "d.tif")
    with pytest.raises(UserError, match=r"first without a partner: .*sharp/a\.png"):  # not in their order
        find_pairs(folder)


def test_unreadable_photos_and_unequal_sizes_are_named_together(folder):
    for i in range(3):
        write_photo(folder / "sharp" / f"u{i}.png", Photo(pixels(5)))
        write_photo(folder / "blur" / f"u{i}.png", Photo(pixels(5, 20, 22)))
    (folder / "sharp" / "a.png").write_bytes(b"no image")
    with pytest.raises(UserError) as error:
        list(folder_pairs(folder))
    message = str(error.value)
    assert message.startswith(f"4 of 5 pairs in {folder} cannot be used") and "\n" not in message
    assert "a.png: not an image" in message and "u0.png has 22x20 pixels, the sharp one 24x20" in message
    assert message.endswith("; and 1 more")


@pytest.mark.shared
def test_published_pairs(shared):
    pairs = find_pairs(shared / "data" / "motion" / "GoPro")
    assert len(pairs) == 8 and pairs[0].pixels().shape == (720, 1280, 6)
