"""Runs killed at any moment, then continued: the same files as one whole run leaves, and nothing else."""

import random
import subprocess
import sys
import time

import pytest
from PIL import Image

from tests.helpers.photos import photo

KILLS = 20
PHOTOS = 40


@pytest.mark.slow
def test_killed_and_continued(tmp_path):
    for number in range(PHOTOS):
        path = tmp_path / "photos" / f"{number % 4}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(120 + number % 8, 150)).save(path)
    run(tmp_path, "whole")
    whole = contents(tmp_path / "whole")
    assert len(whole) == PHOTOS + 1
    moments, partial = random.Random(0), 0
    for number in range(KILLS):
        output = tmp_path / f"killed{number}"
        run(tmp_path, output.name, kill_after=(number * PHOTOS // KILLS, moments.uniform(0, 0.1)))
        partial += 0 < len(list(output.rglob("*.png"))) < PHOTOS
        run(tmp_path, output.name, "--skip_existing")
        assert contents(output) == whole, f"kill {number}"
    assert partial > KILLS / 2


def run(folder, output, *flags, kill_after=None):
    """Run the command to its end, or kill it some seconds after a number of photos."""
    line = [sys.executable, "-m", "jaxsr.restore", "photos", f"--output={output}", "--model=bicubic", "--recursive"]
    with subprocess.Popen([*line, *flags], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if kill_after is not None:
            count, seconds = kill_after
            for _ in range(count):
                process.stdout.readline()
            time.sleep(seconds)
            process.kill()
        process.communicate()
    assert kill_after is not None or process.returncode == 0


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
