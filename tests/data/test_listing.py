import os
from pathlib import Path

import pytest

from jaxsr.data.images import read_photo, read_pixels
from jaxsr.data.listing import find_photos, left_out_line, list_in_order, list_photos, pair_by_name
from jaxsr.support.errors import UserError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png", "deep/c.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_folder_gives_its_visible_photos_sorted(folder):
    assert names(list_photos([folder])) == ["a.JPG", "b.png"]


def test_patterns_files_and_folders_are_joined_without_repeats(folder):
    inputs = [folder / "b.png", str(folder / "**" / "*"), folder]
    assert names(list_photos(inputs)) == ["a.JPG", "b.png", "c.tif"]


def test_named_files_stay_whether_photo_or_missing(folder):
    assert names(list_photos([folder / "notes.txt", folder / "gone.png"])) == ["gone.png", "notes.txt"]


def test_a_photo_comes_once_however_it_is_spelled(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert list_photos(["b.png", folder / "b.png", "./b.png", "deep/../b.png"]) == [Path("b.png")]


def test_above_a_link_is_above_what_it_links_to(folder):
    (folder / "deep" / "er").mkdir()
    (folder / "deep" / "b.png").touch()
    (folder / "link").symlink_to("deep/er")
    assert list_photos([folder / "link" / ".." / "b.png"]) == [folder.resolve() / "deep" / "b.png"]
    assert list_photos([folder / "deep" / ".." / "b.png", folder / "." / "b.png"]) == [folder / "b.png"]


def test_file_whose_name_looks_like_a_pattern(folder):
    (folder / "x[1].png").touch()
    assert names(list_photos([folder / "x[1].png"])) == ["x[1].png"]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("empty", r"folder .*empty holds no photos \(files ending in .png, .jpg"),
        ("*.bmp", r"matches no photos \(.*\)$"),
        ("set", r"folder .*set holds no photos .*; name one of its folders that do: hr, lr_x2$"),
        ("empty [1]", r"folder .*empty \[1\] holds no photos"),
        ("in [1]/*.png", r"matches no photos .*; of a name that has brackets, write \[ as \[\[\]$"),
        ("nowhere", "no file or folder"),
    ],
)
def test_input_without_photos_is_named(folder, item, reason):
    for name in ("empty", "set/hr", "set/kernels", "set/lr_x2", "in [1]", "empty [1]"):
        (folder / name).mkdir(parents=True)
    for file in ("set/hr/a.png", "set/lr_x2/a.png", "set/kernels/a.npz", "in [1]/a.png"):
        (folder / file).touch()
    with pytest.raises(UserError, match=reason):
        list_photos([folder / "b.png", folder / item])
    with pytest.raises(UserError, match="no photos given"):
        list_photos([])
    assert names(list_photos([folder / "in [[]1]/*.png"])) == ["a.png"]


def paths(*names):
    return [Path(name) for name in names]


def test_pairs_by_stem_whatever_the_order():
    pairs = pair_by_name(paths("hr/a.png", "hr/b.png"), paths("lr/b.jpg", "lr/a.jpg"))
    assert pairs == [(Path("hr/a.png"), Path("lr/a.jpg")), (Path("hr/b.png"), Path("lr/b.jpg"))]


def test_pairs_by_order_with_numbers_as_numbers():
    hr, lr = paths("im_2.png", "im_10.png"), paths("x_002_LR.png", "x_010_LR.png")
    assert pair_by_name(hr, lr) == list(zip(hr, lr, strict=True))


def test_numbers_with_and_without_zeros_are_told_apart():
    hr, lr = paths("x/a01.png", "y/a1.png"), paths("1/a1.png", "2/a01.png")
    assert pair_by_name(hr, lr) == [(hr[0], lr[1]), (hr[1], lr[0])]


def test_what_does_not_pair_is_named():
    with pytest.raises(UserError, match=r"2 HR and 1 LR .* first without a partner: b\.png"):
        pair_by_name(paths("a.png", "b.png"), paths("a.jpg"))
    with pytest.raises(UserError, match=r"2 HR and 2 LR .* first without a partner: b\.png"):
        pair_by_name(paths("a.png", "b.png"), paths("a.png", "c.png"))
    with pytest.raises(UserError, match=r"3 HR and 3 LR .* first without a partner: a\.jpg"):
        pair_by_name(paths("a.jpg", "a.png", "b.png"), paths("a.png", "b.jpg", "b.png"))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_published_sets_pair(shared, name):
    root = shared / "data" / "test" / name
    pairs = pair_by_name(list_photos([root / "hr"]), list_photos([root / "lr_x3"]))
    for hr, lr in pairs:
        large, small = read_pixels(hr), read_pixels(lr)
        assert small.shape[:2] == (large.shape[0] // 3, large.shape[1] // 3)
        assert abs(large.mean() - small.mean()) < 1


def test_photos_know_where_they_lie_below_what_was_named(folder):
    (folder / "deep" / "out").mkdir()
    (folder / "deep" / "out" / "d.png").touch()
    everything = find_photos([folder], recursive=True, without=folder / "deep" / "out")
    assert list(map(str, everything.photos.values())) == ["a.JPG", "b.png", "deep/c.tif"]
    assert names(everything.left_out) == ["notes.txt"]
    for above in (folder, folder.parent):
        assert len(find_photos([folder], without=above).photos) == 2
    assert list(map(str, find_photos([folder / "*" / "*.tif"]).photos.values())) == ["deep/c.tif"]
    assert list(map(str, find_photos([folder / "deep" / "c.tif"]).photos.values())) == ["c.tif"]
    assert list(find_photos([folder / "deep" / ".." / "b.png", folder / "b.png"]).photos) == [folder / "b.png"]


def test_what_is_left_out_is_counted_and_named(folder):
    for number in range(6):
        (folder / f"{number}.mov").touch()
    line = left_out_line(find_photos([folder]).left_out)
    assert line.startswith("left out 7, no photos of a known format (6 .mov, 1 .txt): 0.mov, 1.mov")
    assert line.endswith("4.mov, ...")
    assert left_out_line([Path(f"{number}.mov") for number in range(5)]).endswith(": 0.mov, 1.mov, 2.mov, 3.mov, 4.mov")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UserError, match="pipe.png is neither a file nor a folder but a pipe or a device; save the pho"):
        find_photos([tmp_path / "pipe.png"])


def test_links_that_lead_nowhere_are_not_passed_over(folder):
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "round.tif").symlink_to(folder / "round.tif")
    (folder / "note").symlink_to(folder / "nowhere")
    (folder / "album.png").symlink_to(folder / "deep")
    listing = find_photos([folder])
    assert names(listing.photos) == ["a.JPG", "b.png", "gone.png", "round.tif"]
    assert names(listing.left_out) == ["note", "notes.txt"]
    with pytest.raises(UserError, match=r"gone\.png: it is a link to a file that is not there; check the path"):
        read_photo(folder / "gone.png")


def test_folders_behind_links_are_searched_once(folder, tmp_path_factory):
    album = tmp_path_factory.mktemp("album")
    for name in ("d.png", "out/e.png"):
        (album / name).parent.mkdir(exist_ok=True)
        (album / name).touch()
    for name, target in {"album": album, "again": folder / "deep", "self": folder, "above": folder.parent}.items():
        (folder / name).symlink_to(target)
    (album / "back").symlink_to(folder)
    found = find_photos([folder], recursive=True, without=album / "out").photos
    assert list(map(str, found.values())) == ["a.JPG", "album/d.png", "b.png", "deep/c.tif"]
    matched = find_photos([folder / "**" / "*.[pt]*"], without=album / "out").photos  # not 40 times, as by glob alone
    assert list(map(str, matched.values())) == ["album/d.png", "b.png", "deep/c.tif"]
    assert names(list_photos([folder / "**" / "out" / "**"])) == ["e.png"]
    assert names(list_photos([folder])) == ["a.JPG", "b.png"]


def test_photos_in_the_order_of_the_inputs(folder):
    assert names(list_in_order([folder / "deep", folder, folder / "gone.png"])) == [
        *("c.tif", "a.JPG", "b.png"),
        "gone.png",
    ]
