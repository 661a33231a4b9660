"""The command that scores and writes the page, as a user runs it."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers.photos import smooth

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def run(*flags):
    command = [sys.executable, "-m", "benchmarks.quality", *map(str, flags)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=240)


def test_scores_then_the_page_alone(tmp_path):
    (tmp_path / "Set5").mkdir()
    Image.fromarray(smooth(36, 42)).save(tmp_path / "Set5" / "a.png")
    flags = [f"--json={tmp_path / 'r.json'}", f"--page={tmp_path / 'r.md'}"]
    done = run(f"--data={tmp_path}", "--models=espcn", *flags, "--nopictures")
    assert done.returncode == 0, done.stderr
    assert "Set5 x3 espcn-x3 (ours)" in done.stdout
    first = (tmp_path / "r.md").read_text()
    (tmp_path / "r.md").unlink()
    assert run(*flags).returncode == 0 and (tmp_path / "r.md").read_text() == first


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data=gone"], "--data: gone is no folder"),
        ([], "holds no scores; name the folders of test sets by --data"),
        (["--page=docs"], "--page=docs is a folder; name a file in it"),
        (["--data={folder}", "--models=espcm"], "unknown system or weights 'espcm'; did you mean 'espcn'?"),
        (["--data={folder}", "--sets=Set15"], "unknown set 'Set15'"),
        (["--data={folder}", "--minutes=nan"], "--minutes=nan is not a number of minutes; give 0 or more"),
    ],
)
def test_mistakes_take_one_line(flags, message, tmp_path):
    (tmp_path / "Set5").mkdir()
    Image.fromarray(smooth(36, 42)).save(tmp_path / "Set5" / "a.png")
    done = run(*(flag.format(folder=tmp_path) for flag in flags), f"--json={tmp_path / 'r.json'}")
    assert done.returncode == 2 and message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "r.json").exists()
