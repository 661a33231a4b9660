"""One-line errors and whole files."""

import os
import re

import numpy as np
import pytest

from jaxsr.support.errors import UserError, brief, choose, nearest, short_reason
from jaxsr.support.files import remove_remains, remove_remains_of, written_whole


def test_nearest_suggests_or_lists():
    assert nearest("adm", ["adam", "sgd"]) == "did you mean 'adam'?"
    assert nearest("lamb!", ["adam", "sgd"]) == "choose one of: adam, sgd"
    assert nearest("FSRCNN", ["fsrcnn", "All"]) == "did you mean 'fsrcnn'?"
    assert nearest("all", ["fsrcnn", "All"]) == "did you mean 'All'?"


def test_a_value_in_a_message_takes_no_lines():
    assert brief("a b") == "'a b'" and brief(None) == "None"
    assert brief(np.zeros((3, 3))) == "<ndarray>" and brief(["x"] * 999) == "<list>"


def test_a_reason_is_one_short_line():
    assert short_reason(ValueError("\n first\nsecond")) == "first"
    assert short_reason(ValueError()) == "ValueError"
    assert len(short_reason(ValueError("x" * 999))) == 160


def test_choose():
    assert choose("optimizer", "sgd", {"sgd": 7}) == 7
    with pytest.raises(UserError, match=r"unknown optimizer 'sdg'; did you mean 'sgd'\?"):
        choose("optimizer", "sdg", {"sgd": 7})
    for name in (None, 3, ["sgd"]):
        with pytest.raises(UserError, match=rf"unknown optimizer {re.escape(repr(name))}; "):
            choose("optimizer", name, {"sgd": 7})  # pyright: ignore[reportArgumentType]


def test_a_file_appears_whole(tmp_path):
    target = tmp_path / "new" / "file.txt"
    with written_whole(target) as temporary:
        temporary.write_text("all of it")
        assert temporary.suffix == ".txt" and not target.exists()
    assert target.read_text() == "all of it"
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("remove", [remove_remains, lambda path: remove_remains_of([path])])
@pytest.mark.parametrize("name", ["file.txt", "no_suffix", "two-parts.tar.gz", "ä" * 125 + ".txt", "x" * 251 + ".txt"])
def test_what_a_killed_write_left_is_removed(name, remove, tmp_path):
    target = tmp_path / name
    with written_whole(target) as temporary:
        temporary.write_text("all of it")
        assert temporary.name.startswith(".") and len(os.fsencode(temporary.name)) <= 255
    stem, suffix = temporary.name.removesuffix(target.suffix), target.suffix
    killed = tmp_path / f"{stem[:-1]}_{suffix}"  # another 8 characters
    others = {f".file-mine{suffix}", f"{stem[1:]}{suffix}", f".z{stem[2:]}{suffix}"}  # visible; of another file
    for file in (killed.name, *others):
        (tmp_path / file).touch()
    remove(target)
    assert {path.name for path in tmp_path.iterdir()} == {name, *others}


def test_a_file_that_is_being_written_is_no_remain(tmp_path):
    """Two runs may write to one folder."""
    target = tmp_path / "file.txt"
    with written_whole(target) as temporary:
        temporary.write_text("all of it")
        remove_remains(target)
        remove_remains_of([target])
    assert target.read_text() == "all of it" and [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), written_whole(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]
