"""Which files are videos, and where restored ones go."""

import builtins

import pytest

import jaxsr
from jaxsr.data.videos.video_files import is_video, require_pyav, split_videos, video_outputs
from jaxsr.support.errors import UserError


@pytest.fixture
def folder(tmp_path):
    for name in (
        "both/a.MP4",
        "both/b.png",
        "both/.c.mp4",
        "videos/d.mkv",
        "videos/e.webm",
        "videos/note.txt",
        "empty/note.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_suffixes():
    assert is_video("a.MP4") and not is_video("a.gif") and not is_video(3)


def test_videos_are_taken_out_of_inputs(folder):
    inputs = [str(folder / name) for name in ("both", "videos", "both/b.png", "nowhere.mp4", "videos/*.mkv")]
    videos, rest = split_videos(inputs)
    assert [path.name for path in videos] == ["a.MP4", "nowhere.mp4", "d.mkv", "e.webm"]
    assert rest == [inputs[0], inputs[2]]  # folders of videos hold no photos


def test_a_video_comes_once_however_it_is_spelled(folder, monkeypatch):
    monkeypatch.chdir(folder)
    videos, _ = split_videos(["both/a.MP4", str(folder / "both"), "videos/../both/a.MP4"])
    assert [str(path) for path in videos] == ["both/a.MP4"]


def test_inputs_without_videos_are_left_to_the_photos(folder):
    inputs = [str(folder / "empty"), str(folder / "*.png"), "s3://bucket/photos"]
    assert split_videos(inputs) == ({}, inputs)


def test_folders_and_patterns_keep_their_tree_but_for_the_outputs(folder):
    (folder / "out").mkdir()
    (folder / "out" / "old.mp4").touch()
    for inputs, recursive in (([str(folder)], True), ([str(folder / "**/*.[mM]*")], False)):
        videos, _ = split_videos(inputs, recursive=recursive, without=folder / "out")
        outputs = video_outputs(videos, folder / "out")
        made = {path.relative_to(folder / "out").as_posix() for path in outputs.values()}
        assert made >= {"both/a.mp4", "videos/d.mkv"} and "old.mp4" not in made
    assert split_videos([str(folder)])[0] == {}


def test_containers_are_kept_or_become_matroska(folder):
    videos, _ = split_videos([str(folder / "both"), str(folder / "videos")])
    outputs = video_outputs(videos, folder / "out")
    assert [path.name for path in outputs.values()] == ["a.mp4", "d.mkv", "e.mkv"]
    with pytest.raises(UserError, match="is that of the input"):
        video_outputs(videos, folder / "videos")


def test_without_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name == "av":
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'jaxsr\[video\]'"):
        require_pyav()


def test_from_python_videos_are_refused():
    with pytest.raises(UserError, match=r"clip\.mp4 is a video; restore it by `python -m jaxsr\.restore"):
        jaxsr.restore("clip.mp4")
