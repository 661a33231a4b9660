"""Paths of users: `~`, and what is wrong with a place for results before any work."""

from pathlib import Path

import pytest

from jaxsr.support import paths
from jaxsr.support.errors import UserError
from jaxsr.support.files import cache_folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return the home folder; the working folder is another."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_tilde(home):
    assert paths.user_path("~/x") == home / "x" and paths.user_path("~") == home
    assert paths.user_path("~tilde.png") == Path("~tilde.png") and paths.user_path("a/~") == Path("a/~")
    Path("~").mkdir()
    assert paths.user_path("~") == Path("~")


@pytest.mark.parametrize("text", ["", "a\0b", None, 5, b"a.png"])
def test_what_is_no_path(text):
    with pytest.raises(UserError, match="is not a path"):
        paths.user_path(text)


@pytest.mark.parametrize("text", ["s3://bucket/photos", "gs://bucket", "file:///tmp/photos"])
def test_an_address_is_no_path(text):
    for place in (paths.user_path, lambda x: paths.output_folder(x, "--output"), lambda x: paths.output_file(x, "-o")):
        with pytest.raises(UserError, match=f"{text} is an address; .* name a local path"):
            place(text)


def test_without_a_home_nothing_is_kept(monkeypatch):
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert not cache_folder().is_dir() and str(cache_folder()).startswith("/dev/null")
    with pytest.raises(UserError, match="no home folder is known for '~/x'"):
        paths.user_path("~/x")


def test_an_empty_variable_means_the_usual_folder(home, monkeypatch):
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert cache_folder() == home / ".cache" / "jaxsr"


def test_places_for_results(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    folder = tmp_path / "new" / "deep"
    assert paths.output_folder(folder, "--output") == folder and not folder.parent.exists()
    assert paths.output_file(folder / "a.json", "--json") == folder / "a.json"
    for name, reason in (
        ("file", "file is a file, not a folder"),
        ("file/deep", "file is a file, not a folder"),
        ("link/deep", "link is a broken link"),
        ("x" * 300, "File name too long"),
    ):
        with pytest.raises(UserError, match=rf"--output=.*{reason}"):
            paths.output_folder(tmp_path / name, "--output")
    with pytest.raises(UserError, match="--json=.* is a folder; name a file in it"):
        paths.output_file(tmp_path, "--json")
    with pytest.raises(UserError, match="--json=.*: a file's name has up to 255 bytes"):
        paths.output_file(tmp_path / f"{'ä' * 126}.json", "--json")
    with pytest.raises(UserError, match="--save=/proc/x: cannot write to /proc"):
        paths.output_folder("/proc/x", "--save")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["file", "link"]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_names_that_no_file_can_have_are_none(name):
    """Path.exists and its like raise OSError or ValueError for some of them."""
    assert not any(there(name) for there in (paths.exists, paths.is_file, paths.is_folder))
