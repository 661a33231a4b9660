"""The layouts of folders with references."""

import pytest

from jaxsr.data.reference_sets import read_groups
from jaxsr.support.errors import UserError


def folder_of(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


@pytest.mark.parametrize(
    "names",
    [
        ["a_b_0.png", "a_b_1.png", "a_b_5.jpg", "003_0.PNG", "003_1.png", "alone_0.png", "007_2.png", "note_1.txt"],
        ["hr/a_b.png", "ref1/a_b.png", "ref5/a_b.jpg", "hr/003.PNG", "ref1/003.png", "hr/alone.png", "ref2/007.png"],
        ["a_b/hr.png", "a_b/ref1.png", "a_b/ref5.jpg", "003/hr.PNG", "003/ref1.png", "alone/hr.png", "007/ref2.png"],
    ],
)
def test_layouts(names, tmp_path, caplog):
    """HR photos without references, and references without an HR photo, are left out, and named."""
    groups = read_groups(folder_of(tmp_path, *names))
    assert caplog.messages == [f"{tmp_path}: left out 2 without an HR photo or without references: 007, alone"]
    assert [group.name for group in groups] == ["003", "a_b"]
    last = groups[1]
    assert last.hr == tmp_path / names[0] and last.references == {1: tmp_path / names[1], 5: tmp_path / names[2]}
    assert last.at("5") == [tmp_path / names[2]] and last.at("all") == [tmp_path / names[1], tmp_path / names[2]]


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UserError, match="no HR photos with references; name them in one of these ways: NAME_0"):
        read_groups(folder_of(tmp_path, "a.png", ".b_0.png", ".b_1.png"))
    group = read_groups(folder_of(tmp_path / "set", "a_0.png", "a_1.png", "a_3.png"))[0]
    for level in ("2", "hard"):
        with pytest.raises(UserError, match=f"no reference of level '{level}'; choose one of: 1, 3, all"):
            group.at(level)


def test_hidden_folders_are_passed_over(tmp_path):
    folder = folder_of(tmp_path, "a/hr.png", "a/ref1.png", ".trash/hr.png", ".trash/ref1.png")
    assert [group.name for group in read_groups(folder)] == ["a"]


@pytest.mark.parametrize("second", ["a_0.jpg", "a_1.jpg"])
def test_no_photo_silently_takes_the_place_of_another(second, tmp_path):
    folder = folder_of(tmp_path, "a_0.png", "a_1.png", second)
    with pytest.raises(UserError, match=rf"{second} and .*\.png are one photo by their names; rename one"):
        read_groups(folder)
