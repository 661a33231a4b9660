"""The command as a user runs it: exit statuses, one-line errors, a run cut short."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
SHORT = ["--config.steps=4", "--config.batch_size=4", "--config.data.patch=8", "--config.log_every=2"]


def command(*flags):
    return [sys.executable, "-m", "jaxsr.train", *map(str, flags)]


def run(*flags):
    return subprocess.run(command(*flags), cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_run_on_the_sample_photos(tmp_path):
    done = run("--config=espcn:x3", f"--workdir={tmp_path}", *SHORT)
    assert done.returncode == 0, done.stderr
    assert "step 4/4" in done.stdout and f"weights: {tmp_path}/model.safetensors" in done.stdout
    with Image.open(tmp_path / "samples" / "step_00000004.png") as picture:
        assert picture.size[0] > 3 * 300 and picture.size[1] > 2 * 300  # a row for each of the two photos
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"
    assert json.loads((tmp_path / "config.json").read_text())["steps"] == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--config=espcn:x3", "--config.batch_sise=4"], "batch_size"),
        (["--config=espcn:x5"], "unknown variant 'x5'"),
        (["--config=configs/espcm.py"], "did you mean 'espcn'"),
        (["--config=espcn:x3", "--config.data.train=/nowhere"], "/nowhere"),
    ],
)
def test_mistakes_take_one_line_and_leave_nothing(flags, message, tmp_path):
    done = run(*flags, f"--workdir={tmp_path / 'run'}")
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_terminated_run_resumes(tmp_path):
    flags = ["--config=espcn:x2", f"--workdir={tmp_path}", *SHORT, "--config.steps=1000000"]
    with subprocess.Popen(command(*flags), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("step 10/"):
                process.send_signal(signal.SIGTERM)
            last = line
    assert process.returncode == 143
    stopped = int(last.split("stopped at step ")[1].split(" ")[0])
    assert stopped >= 10
    again = run(*flags[:2], *SHORT, f"--config.steps={stopped + 2}")
    assert again.returncode == 0, again.stderr
    assert f"resuming from step {stopped} of {stopped + 2}" in again.stdout


@pytest.mark.slow
def test_the_list_needs_no_other_flag_and_no_checkout(tmp_path):
    done = subprocess.run(command("--list=espcn"), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("config") and "espcn:x3*" in done.stdout, done.stderr
    for flags, missing in (
        (["--config=espcn"], "--workdir is missing"),
        ([f"--workdir={tmp_path}"], "--config is missing"),
    ):
        done = run(*flags)
        assert done.returncode == 2 and missing in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_reader_of_the_list_may_leave():
    with subprocess.Popen(command("--list=espcn"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
