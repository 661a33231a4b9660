"""The command as a user runs it: folders, patterns, failures, exit statuses."""

import functools
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import jaxsr
from jaxsr.weights import save
from tests.helpers import commands
from tests.helpers.networks import network
from tests.helpers.photos import photo
from tests.helpers.videos import contents, write_video

pytestmark = pytest.mark.slow


run = functools.partial(commands.run, "restore")


@pytest.fixture
def photos(tmp_path):
    """Return a folder of a colour, a grey, a transparent, a broken and a truncated photo, and a note."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(photo(40, 50)).save(folder / "colour.png")
    Image.fromarray(photo(33, 30, 1)[..., 0]).save(folder / "grey.jpg")
    Image.fromarray(photo(21, 20, 4)).save(folder / "see through.png")
    (folder / "broken.png").write_bytes(b"no image")
    (folder / "cut.png").write_bytes((folder / "colour.png").read_bytes()[:1500])
    (folder / "notes.txt").write_text("no photo")
    return folder


@pytest.fixture
def weights(tmp_path):
    save(tmp_path / "espcn.safetensors", network("espcn", 2))
    return tmp_path / "espcn.safetensors"


def test_a_folder_goes_on_after_failures(photos, weights, tmp_path):
    done = run(photos, f"--output={tmp_path / 'out'}", f"--model={weights}")
    assert done.returncode == 1
    assert "3 of 5 photos restored by espcn-x2" in done.stdout
    lines = done.stderr.strip().splitlines()[-2:]
    assert "broken.png" in lines[0] and "cut.png" in lines[1] and "Traceback" not in done.stderr
    written = {path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "."}
    assert written == {"colour.png", "grey.png", "see through.png"}
    assert "left out 1, no photos of a known format (1 .txt): notes.txt" in done.stderr
    assert "done 3, skipped 0, failed 2" in done.stdout
    for name, source in (
        ("colour.png", "colour.png"),
        ("grey.png", "grey.jpg"),
        ("see through.png", "see through.png"),
    ):
        with Image.open(tmp_path / "out" / name) as result, Image.open(photos / source) as original:
            assert result.mode == original.mode and result.size == tuple(2 * side for side in original.size)
            expected = jaxsr.restore(np.asarray(original), str(weights))
            assert np.abs(np.asarray(result).astype(int) - expected).max() <= 1


def test_patterns_scales_and_formats(photos, tmp_path):
    flags = ["--model=bicubic", "--scale=4", "--format=webp", "--tile=None"]  # as the message about tiles writes it
    done = run(photos / "*o*r.png", f"--output={tmp_path / 'out'}", *flags)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "out" / "colour.webp") as result:
        assert result.size == (200, 160)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["colour.png", "--model=fsrcn"], "unknown model 'fsrcn'; did you mean 'fsrcnn'?"),
        (["colour.png", "--model=espcn.safetensors", "--scale=3"], "was made for scale 2, not 3"),
        (["nowhere/"], "nowhere"),
        (["colour.png", "--tile=big", "--model=bicubic"], "tile='big' is not a number of pixels"),
        (["colour.png", "--outptu=x"], "outptu"),
        (["colour.png", "--size=3000"], "--size=3000 is not a size"),
        (["colour.png", "--format=jpg", "--depth=16"], "JPEG holds 8 bits per channel, not 16"),
        (["colour.png", "--quality=0"], "quality=0 must lie in 1 to 100"),
        ([], "photo"),
    ],
)
def test_mistakes_take_one_line_and_write_nothing(arguments, message, photos, weights, tmp_path):
    paths = [str(photos / a) if a.endswith((".png", "/")) and "=" not in a else a for a in arguments]
    paths = [a.replace("espcn.safetensors", str(weights)) for a in paths]
    done = run(*paths, f"--output={tmp_path / 'out'}")
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_photo_is_never_overwritten(photos, tmp_path):
    before = (photos / "colour.png").read_bytes()
    done = run(photos / "colour.png", f"--output={photos}", "--model=bicubic")
    assert done.returncode == 2 and "colour.png" in done.stderr
    assert (photos / "colour.png").read_bytes() == before


def test_videos_beside_photos(photos, weights, tmp_path):
    """Each is restored; a broken video does not stop the rest."""
    write_video(photos / "clip.mp4", [photo(24, 32, seed=i) for i in range(5)], audio=True)
    (photos / "torn.mkv").write_bytes(b"no video")
    done = run(photos, f"--output={tmp_path / 'out'}", f"--model={weights}")
    assert done.returncode == 1
    assert "3 of 5 photos restored" in done.stdout and "1 of 2 videos restored by espcn-x2" in done.stdout
    assert "5 frames" in done.stdout and "frames per second" in done.stdout
    assert "torn.mkv: damaged, or no video" in done.stderr and "Traceback" not in done.stderr
    before, after = contents(photos / "clip.mp4"), contents(tmp_path / "out" / "clip.mp4")
    assert after.times == before.times and after.packets == before.packets
    assert after.frames[0].shape == (48, 64, 3)
    assert not (tmp_path / "out" / "torn.mkv").exists()


def test_whole_videos_are_skipped(weights, tmp_path):
    """With the record of the photos of the same run; a changed video, or another rate factor, is done again."""
    folder, out = tmp_path / "clips", tmp_path / "out"
    folder.mkdir()
    for name in ("a", "b"):
        write_video(folder / f"{name}.mkv", [photo(24, 32)])
    Image.fromarray(photo(20, 20)).save(folder / "c.png")
    flags = [folder, f"--output={out}", f"--model={weights}"]
    assert run(*flags).returncode == 0
    again = run(*flags, "--skip_existing")
    assert again.returncode == 0 and "0 of 2 videos restored" in again.stdout and "2 skipped" in again.stdout
    assert "done 0, skipped 1" in again.stdout
    write_video(folder / "b.mkv", [photo(24, 32, seed=1)])
    listed = run(*flags, "--skip_existing", "--list")
    assert f"{folder / 'a.mkv'} -> {out / 'a.mkv'} (skipped: there already)" in listed.stdout
    assert f"{folder / 'b.mkv'} -> {out / 'b.mkv'}\n" in listed.stdout
    assert "1 of 2 videos restored by espcn-x2" in run(*flags, "--skip_existing").stdout
    assert "2 of 2 videos restored by espcn-x2" in run(*flags, "--skip_existing", "--crf=30").stdout
    (out / ".jaxsr-outputs.jsonl").unlink()
    refused = run(folder / "a.mkv", *flags[1:], "--skip_existing")
    assert refused.returncode == 2 and "a.mkv is there already and was not made from" in refused.stderr


@pytest.mark.parametrize(
    ("flag", "message"),
    [("--model=zssr", "zssr-x2 learns from each photo anew"), ("--crf=52", "crf=52 is not a rate factor of x264")],
)
def test_what_videos_cannot_have(flag, message, tmp_path):
    write_video(tmp_path / "clip.mp4", [photo(24, 32)])
    done = run(tmp_path / "clip.mp4", f"--output={tmp_path / 'out'}", flag)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_list_names_formats_and_overwriting(photos, tmp_path):
    (photos / "deep").mkdir()
    (photos / "colour.png").rename(photos / "deep" / "grey.png")
    flags = ["--model=bicubic", "--recursive", "--format=same", "--size=20x30", f"--output={tmp_path / 'out'}"]
    listed = run(photos, *flags, "--list")
    assert listed.returncode == 0 and not (tmp_path / "out").exists()
    assert "deep/grey.png (50 x 40 to 20 x 30 pixels)" in listed.stdout
    # Only headers are read, and that of the truncated photo is whole
    assert "4 photos to restore by bicubic-x2, 0 to skip, 1 that would fail; nothing was done" in listed.stdout
    assert run(photos, *flags).returncode == 1
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*g")}
    assert written == {"deep/grey.png", "grey.jpg", "see through.png"}
    with Image.open(tmp_path / "out" / "grey.jpg") as result:
        assert result.size == (20, 30)
    again = run(photos, *flags, "--skip_existing")
    assert "done 0, skipped 3, failed 2" in again.stdout
    other = run(photos / "grey.jpg", *flags, "--model=bicubic", "--scale=3")
    assert other.returncode == 0, other.stderr  # of the same photo
    strange = run(photos / "deep" / "grey.png", f"--output={tmp_path / 'out' / 'deep'}", "--model=bicubic")
    assert strange.returncode == 2 and "is there already and was not made from" in strange.stderr


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--quality=50"], "--quality is for jpg and avif, png is lossless; leave it out, or add --format=jpg"),
        (["--format=webp", "--quality=50"], "--quality is for jpg and avif, webp is lossless"),
        (["--crf=0"], "restoring photos takes no --crf; leave it out, or restore videos"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(photos, tmp_path, flags, line):
    done = run(photos, "--model=bicubic", f"--output={tmp_path / 'out'}", *flags)
    assert done.returncode == 2 and done.stderr.startswith(f"restore: {line}") and not (tmp_path / "out").exists()


def test_names_that_are_no_text(photos, tmp_path):
    (photos / "colour.png").rename(photos / os.fsdecode(b"\xff\n\x1b[2J.png"))
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    line = [sys.executable, "-m", "jaxsr.restore", str(photos), f"--output={tmp_path / 'out'}", "--model=bicubic"]
    done = subprocess.run(line, capture_output=True, env=environment, check=False)
    assert done.returncode == 1 and b"3 of 5 photos" in done.stdout and b"\x1b" not in done.stdout + done.stderr
    assert b"\\udcff\\n\\x1b[2J.png" in done.stdout


def test_what_object_stores_do_not_have_is_refused_in_one_line(photos, tmp_path):
    store = f"file://{photos}"
    for arguments, line in (
        ([f"{store}/clip.mp4"], f"{store}/clip.mp4 is in an object store, which is for photos alone; copy videos"),
        ([store, "--model=auto"], f"--model=auto does not look at photos in {store}; name a model"),
        ([photos, "--model=srntt", f"--reference={store}"], f"--reference={store} is in an object store; copy it"),
    ):
        done = run(*arguments, f"--output=file://{tmp_path / 'out'}")
        assert done.returncode == 2 and done.stderr.startswith(f"restore: {line}") and not (tmp_path / "out").exists()
