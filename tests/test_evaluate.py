"""The command as a user runs it: the table, the JSON, the mistakes."""

import functools
import json

import pytest
from PIL import Image

from jaxsr.data.images import Photo, write_photo
from tests.helpers import commands
from tests.helpers.photos import photo, smooth

pytestmark = pytest.mark.slow


run = functools.partial(commands.run, "evaluate")


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


def test_scores_take_the_place_of_no_photo_or_list(data):
    (data / "pairs.json").write_text("{}")
    for file, kind in ((data / "hr" / "a.png", "a photo"), (data / "pairs.json", "the list of a paired set")):
        before = file.read_bytes()
        done = run("--model=bicubic", f"--data={data / 'hr'}", f"--json={file}")
        assert done.returncode == 2 and f"{file.name} would overwrite {kind}; choose a name such as" in done.stderr
        assert file.read_bytes() == before


def test_files_that_are_no_photos_are_named(data):
    (data / "hr" / "c.npy").touch()
    done = run("--model=bicubic", f"--data={data / 'hr'}")
    assert done.returncode == 0 and done.stderr == "left out 1, no photos of a known format (1 .npy): c.npy\n"


def test_detections_need_no_model(tmp_path):
    box = {"image_id": 1, "category_id": 2, "bbox": [0, 0, 9, 9], "score": 0.9}
    truth = {"images": [{"id": 1}], "annotations": [box, {**box, "bbox": [30, 30, 9, 9]}]}
    truth["categories"] = [{"id": 2, "name": "car"}]
    for name, content in (("r", [box]), ("s", truth), ("bad", [{}])):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    files = f"--detections={tmp_path / 'r.json'},{tmp_path / 's.json'}"
    done = run(files, f"--json={tmp_path / 'out.json'}")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split() == ["car", "1.000", "0.500", "0.667", "1", "2"] and lines[2].startswith("all ")
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["all"]["f1"] == pytest.approx(2 / 3) and record["iou"] == 0.5
    assert record["categories"][0]["name"] == "car" and record["categories"][0]["recall"] == 0.5
    for flags, message in (
        ([files, "--model=bicubic"], "--detections compares two files; leave out --model"),
        ([files.partition(",")[0]], "--detections takes RESTORED.json,SHARP.json; got"),
        ([files.replace("r.json", "bad.json")], "bad.json, detection 0 lacks image_id"),
        ([files, "--iou=2"], "iou=2.0 must lie in (0, 1]"),
        ([files, "--niqe"], "--detections takes no --niqe; leave it out"),
        ([files, f"--json={tmp_path / 'r.json'}"], "r.json would overwrite an input; choose another file"),
    ):
        wrong = run(*flags)
        assert wrong.returncode == 2 and message in wrong.stderr and len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model=bicubic", "--scale=2"], "--data is missing"),
        (["--model=bicubic", "--scale=3", "--data=hr", "--lr=lr"], "2"),
        (["--model=bicubic", "--scale=2", "--data=empty"], "empty"),
        (["--model=bicubic", "--scale=2", "--data=gone"], "gone"),
        (["--scale=2", "--data=hr"], "give either --model"),
        (["--model=", "--data=hr"], "--model is empty; give --model=NAME_OR_FILE, such as fsrcnn-x2, or --restored"),
        (["--restored=lr", "--data=hr", "--ensemble"], "--save, --ensemble, --engine and --precision are for --model"),
        (["--model=bicubik", "--scale=2", "--data=hr"], "unknown model 'bicubik'; did you mean 'bicubic'?"),
        (
            ["--model=bicubic", "--scale=2", "--data=hr", "--protocol=rbg"],
            "unknown protocol 'rbg'; did you mean 'rgb'?",
        ),
        (["--model=bicubic", "--data=hr", "--iou=0"], "a score of photos takes no --iou; leave it out"),
        (["--model=bicubic", "--data=hr", "--iou=0.7"], "a score of photos takes no --iou; leave it out, or add --det"),
        (["--restored=hr", "--niqe", "--protocol=y"], "NIQE of --restored alone takes no --protocol; leave it out, or"),
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
