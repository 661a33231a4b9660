"""The command as a user runs it: the table, the JSON, the mistakes."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from jaxsr.data.images import Photo, write_photo
from tests.restoration.test_enlarge import photo
from tests.restoration.test_scoring import smooth

pytestmark = pytest.mark.slow


def run(*arguments):
    command = [sys.executable, "-m", "jaxsr.evaluate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def data(tmp_path):
    """Return folders of two sharp photos, of one small one, and an empty one."""
    for name in ("a", "b"):
        write_photo(tmp_path / "hr" / f"{name}.png", Photo(smooth(60, 66)))
    write_photo(tmp_path / "lr" / "a.png", Photo(photo(20, 22)))
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_the_table_and_the_files(data):
    flags = ["--protocol=y8,rgb", f"--json={data / 's.json'}", f"--save={data / 'out'}"]
    done = run("--model=bicubic", "--scale=3", f"--data={data / 'hr'}", *flags)
    assert done.returncode == 0, done.stderr
    records = json.loads((data / "s.json").read_text())
    assert [record["protocol"]["name"] for record in records] == ["y8", "rgb"]
    for record in records:
        assert [image["name"] for image in record["images"]] == ["a", "b"]
        mean = sum(image["psnr"] for image in record["images"]) / 2
        assert record["mean"]["psnr"] == pytest.approx(mean) == pytest.approx(record["bicubic"]["psnr"], abs=1e-3)
        assert f"{mean:6.2f}" in done.stdout
    assert "Y of BT.601; luma rounded to 8 bits" in done.stdout and "MATLAB bicubic, unrounded" in done.stdout
    with Image.open(data / "out" / "a.png") as image:
        assert image.size == (66, 60)


def test_a_broken_photo_is_left_out_loudly(data):
    (data / "hr" / "broken.png").write_bytes(b"no image")
    done = run("--model=bicubic", "--scale=2", f"--data={data / 'hr'}", f"--json={data / 's.json'}")
    assert done.returncode == 1
    assert "mean of 2 of 3" in done.stdout and "broken.png" in done.stderr.splitlines()[-1]
    assert len(json.loads((data / "s.json").read_text())["images"]) == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model=bicubic", "--scale=3", "--data=hr", "--lr=lr"], "2"),
        (["--model=bicubic", "--scale=2", "--data=empty"], "empty"),
        (["--model=bicubic", "--scale=2", "--data=gone"], "gone"),
        (["--scale=2", "--data=hr"], "give either --model"),
        (["--restored=lr", "--data=hr", "--ensemble"], "--save and --ensemble are for --model"),
        (["--model=bicubik", "--scale=2", "--data=hr"], "unknown model 'bicubik'; did you mean 'bicubic'?"),
        (
            ["--model=bicubic", "--scale=2", "--data=hr", "--protocol=rbg"],
            "unknown protocol 'rbg'; did you mean 'rgb'?",
        ),
        (["--model=bicubic", "--scale=5", "--data=hr"], "bicubic has no scale 5; choose one of: 2, 3, 4, 8"),
    ],
)
def test_mistakes_take_one_line_and_write_nothing(flags, message, data):
    for name in ("hr", "lr", "empty", "gone"):
        flags = [flag.replace(f"={name}", f"={data / name}") for flag in flags]
    done = run(*flags, f"--json={data / 's.json'}")
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (data / "s.json").exists()
