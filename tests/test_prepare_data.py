"""The command as a user runs it: output, exit status, errors in one line."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from jaxsr.data.builder import open_source
from jaxsr.data.images import Photo, write_photo


def prepare_data(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "jaxsr.prepare_data", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        check=False,
    )


@pytest.fixture
def photos(tmp_path):
    write_photo(tmp_path / "photos" / "a.png", Photo(np.zeros((64, 96, 3), np.uint8)))
    return tmp_path / "photos"


def test_broken_photo_is_listed_and_the_rest_written(photos, tmp_path):
    (photos / "broken.png").write_bytes(b"\x89PNG")
    (photos / "notes.txt").touch()
    done = prepare_data(photos, f"--output={tmp_path / 'set'}", "--size=48")
    assert done.returncode == 1
    left_out, line = done.stderr.splitlines()
    assert left_out == "left out 1, no photos of a known format (1 .txt): notes.txt"
    assert line.startswith(f"{photos / 'broken.png'}: not an image of a known kind; give a PNG, JPEG, TIFF, WebP, ")
    assert re.search("sub-images +6\n", done.stdout)
    assert len(open_source(tmp_path / "set")) == 6


def test_pairs_of_scenes_become_one_set(tmp_path):
    for kind in ("blur", "sharp"):
        write_photo(tmp_path / "train" / "GOPR1" / kind / "1.png", Photo(np.zeros((64, 96, 3), np.uint8)))
    done = prepare_data(tmp_path / "train", f"--output={tmp_path / 'set'}", "--size=48")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search("readable pairs +1\n", done.stdout)
    record = open_source(tmp_path / "set", blurred=True)[0]
    assert record["name"] == b"GOPR1_1@1.0_0_0" and record["blur"].shape == record["hr"].shape == (48, 48, 3)


def test_report_only_writes_nothing(photos, tmp_path):
    done = prepare_data(photos, "--report_only", "--rescale=1.0,0.5")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search("sub-images +2\n", done.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--output=photos/set", "--size=31"], "size must be at least 32 pixels"),
        (["--rescale=half", "--report_only"], "rescale takes numbers such as 1.0,0.8; got 'half'"),
        ([], "--output is missing"),
        (["--output=photos"], "holds other files"),
        (["--sise=3"], "Unknown command line flag 'sise'. Did you mean: size"),
    ],
)
def test_wrong_usage_gets_one_line(photos, flags, reason):
    flags = [flag.replace("=photos", f"={photos}") for flag in flags]
    done = prepare_data(photos, *flags)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and reason in done.stderr
