import re

import numpy as np
import pytest

from jaxsr.data.builder import open_source
from jaxsr.data.images import Photo, write_photo
from jaxsr.data.sub_images import CropGrid, PhotoProperties, list_items, prepare, report, report_splits, survey
from jaxsr.support.errors import UserError


def photo(height, width, channels=3, dtype=np.uint8, alpha=False):
    pixels = np.random.default_rng(height).integers(0, np.iinfo(dtype).max, (height, width, channels), dtype)
    return Photo(pixels, pixels[..., :1] if alpha else None)


@pytest.fixture
def folder(tmp_path):
    write_photo(tmp_path / "photos" / "colour.png", photo(70, 100))
    write_photo(tmp_path / "photos" / "grey.png", photo(40, 64, channels=1))
    write_photo(tmp_path / "photos" / "deep.png", photo(32, 20, dtype=np.uint16, alpha=True))
    (tmp_path / "photos" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    return tmp_path / "photos"


def test_report_tells_sizes_kinds_and_sub_images(folder):
    facts, failures = survey(sorted(folder.iterdir()), "train")
    lines = report(facts, failures, CropGrid(32, 16, (1.0, 0.5)), "train").splitlines()
    assert lines[0] == "train"
    assert dict(re.split("  +", line.strip()) for line in lines[1:]) == {
        "readable photos": "3",
        "unreadable": "1",
        "width": "min 20, median 64, max 100",
        "height": "min 32, median 40, max 70",
        "RGB": "2",
        "grey": "1",
        "with alpha (dropped)": "1",
        "16 bits (rounded to 8)": "1",
        "under 32 pixels (kept whole)": "1",
        "sub-images": "39",  # 4 x 6 and, halved, 2 x 3; 2 x 3 and 1 x 1; twice 1 x 1
    }
    assert len(failures) == 1 and "cut.jpg" in failures[0]


def test_sub_images_cover_the_photo(tmp_path):
    whole = photo(70, 100)
    write_photo(tmp_path / "a.png", whole)
    seen = np.zeros((70, 100), int)
    for name, image in CropGrid(32, 16).cut(tmp_path / "a.png"):
        top, left = map(int, name.split("_")[1:])
        np.testing.assert_array_equal(image, whole.pixels[top : top + 32, left : left + 32])
        assert image.shape == (32, 32, 3)
        seen[top : top + 32, left : left + 32] += 1
    assert seen.min() == 1 and seen[-1, -1] == 1


@pytest.mark.parametrize("rescale", [(1.0,), (1.0, 0.7), (0.3,)])
def test_count_is_what_is_cut(tmp_path, rescale):
    grid = CropGrid(32, 20, rescale)
    write_photo(tmp_path / "a.png", photo(77, 101))
    (facts,) = survey([tmp_path / "a.png"], "train")[0].values()
    assert facts == PhotoProperties(77, 101, grey=False, alpha=False, deep=False)
    assert grid.count(facts) == len(list(grid.cut(tmp_path / "a.png")))


def test_prepare_writes_the_readable_photos(folder, tmp_path, capsys, caplog):
    write_photo(tmp_path / "other.png", photo(40, 64))
    paths = {"train": sorted(folder.iterdir()), "validation": [tmp_path / "other.png"]}
    failures = prepare(paths, CropGrid(48, 24), tmp_path / "set")
    assert [line.split(": ")[0] for line in failures] == [str(folder / "cut.jpg")]
    tiny = f"train: training skips 1 photo of fewer than 32 pixels a side: {folder / 'deep.png'} (20x32)"
    assert [record.getMessage() for record in caplog.records] == [tiny]
    out = capsys.readouterr().out
    assert out.index("train\n") < out.index("validation\n") < out.index("written to")
    source = open_source(tmp_path / "set")
    shapes = [source[i]["hr"].shape for i in range(len(source))]
    assert shapes == [(48, 48, 3)] * 8 + [(32, 20, 3)] + [(40, 48, 3)] * 2
    assert len(open_source(tmp_path / "set", "validation")) == 2


def test_pairs_are_cut_alike(tmp_path, capsys):
    for i, name in enumerate(("a", "b", "odd")):
        for kind in ("sharp", "blur"):
            side = 60 if (name, kind) == ("odd", "blur") else 70
            write_photo(tmp_path / "pairs" / kind / f"{name}.png", photo(side, 50 + i))
    items = list_items([str(tmp_path / "pairs")])
    failures = prepare({"train": items}, CropGrid(32, 16, (1.0, 0.5)), tmp_path / "set")
    assert len(failures) == 1 and "blur/odd.png has 52x60 pixels, the sharp one 52x70" in failures[0]
    assert re.search(r"readable pairs +2\n", capsys.readouterr().out)
    source = open_source(tmp_path / "set", blurred=True)
    assert len(source) == 2 * (4 * 3 + 2 * 1)
    for i in range(len(source)):
        np.testing.assert_array_equal(source[i]["hr"], source[i]["blur"])  # the same photos, at the same places
        assert max(source[i]["hr"].shape) <= 35


def test_pairs_and_photos_are_not_mixed(folder, tmp_path):
    write_photo(tmp_path / "pairs" / "blur" / "a.png", photo(40, 40))
    write_photo(tmp_path / "pairs" / "sharp" / "a.png", photo(40, 40))
    with pytest.raises(UserError, match="photos has no blur and sharp folders but the others do; prepare them"):
        list_items([str(tmp_path / "pairs"), str(folder)])
    paths = {"train": list_items([str(tmp_path / "pairs")]), "validation": list_items([str(folder)])}
    with pytest.raises(UserError, match="some of train, validation are pairs of blurred and sharp photos"):
        prepare(paths, CropGrid(32, 16), tmp_path / "set")


def test_pairs_in_the_home_folder_are_found(tmp_path, monkeypatch):
    for kind in ("blur", "sharp"):
        write_photo(tmp_path / "pairs" / kind / "a.png", Photo(np.zeros((40, 40, 3), np.uint8)))
    monkeypatch.setenv("HOME", str(tmp_path))
    (pair,) = list_items(["~/pairs"])
    assert pair.sharp == tmp_path / "pairs" / "sharp" / "a.png"


@pytest.mark.parametrize(("photos", "shared"), [("photos/colour.png", 1), ("others", 0)])
def test_photos_that_are_trained_on_and_validated_with_are_named(photos, shared, folder, tmp_path, caplog):
    write_photo(tmp_path / "others" / "colour.png", photo(48, 48))
    inputs = {"train": [str(folder)], "validation": [str(tmp_path / photos)]}
    report_splits({split: list_items(names) for split, names in inputs.items()}, CropGrid(32, 16))
    lines = [line for line in caplog.messages if "trained on too" in line]
    assert len(lines) == shared and all(line.endswith(f"of others: {folder / 'colour.png'}") for line in lines)


def test_split_without_a_readable_photo(folder, tmp_path):
    with pytest.raises(UserError, match=r"no train photo is readable, nothing was written; .*cut\.jpg"):
        prepare({"train": [folder / "cut.jpg"]}, CropGrid(48, 24), tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_bounds_are_told():
    for values, reason in {
        (31, 10, (1.0,)): "size must be at least 32 pixels",
        (48, 0, (1.0,)): r"stride must lie in 1\.\.48",
        (48, 49, (1.0,)): r"stride must lie in 1\.\.48",
        (48, 24, (1.0, 1.5)): "up to 1; got",
        (48, 24, (0.0, 1.0)): "factors above 0",
        (48, 24, ()): "up to 1; got",
    }.items():
        with pytest.raises(UserError, match=reason):
            CropGrid(*values)
    for stride, count in {1: 9 * 2, 32: 2 * 2}.items():  # the bounds themselves
        assert CropGrid(32, stride).count(PhotoProperties(40, 33, grey=False, alpha=False, deep=False)) == count
