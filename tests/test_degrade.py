"""The command as a user runs it: a set made, scored, and the mistakes."""

import subprocess
import sys

import pytest

from jaxsr.data.images import Photo, write_photo
from tests.restoration.test_scoring import smooth

pytestmark = pytest.mark.slow


def run(command, *arguments):
    line = [sys.executable, "-m", f"jaxsr.{command}", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.fixture
def photos(tmp_path):
    write_photo(tmp_path / "photos" / "a.png", Photo(smooth(60, 66)))
    return tmp_path / "photos"


def test_a_set_is_made_and_scored(photos, tmp_path):
    (photos / "broken.png").write_bytes(b"no image")
    made = run("degrade", photos, f"--output={tmp_path / 'set'}", "--kind=gaussian8", "--scale=3")
    assert made.returncode == 1 and "8 pairs of 1 photos" in made.stdout and "broken.png" in made.stderr
    scored = run("evaluate", "--model=bicubic", f"--data={tmp_path / 'set'}")
    assert scored.returncode == 0, scored.stderr
    assert "mean of 8 " in scored.stdout and "blurred by a known kernel" in scored.stdout
    wrong = run("evaluate", "--model=bicubic", f"--data={tmp_path / 'set'}", "--scale=2")
    assert wrong.returncode == 2 and "is a paired set of scale 3" in wrong.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--kind=gaussian"], "gaussian"),
        (["--kind=gaussian8", "--scale=8"], "gaussian8 has no scale 8"),
        (["--kind=bicubic", "--scale=1"], "scale"),
        ([], "kind"),
    ],
)
def test_mistakes_take_one_line_and_write_nothing(flags, message, photos, tmp_path):
    done = run("degrade", photos, f"--output={tmp_path / 'set'}", *flags)
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "set").exists()
