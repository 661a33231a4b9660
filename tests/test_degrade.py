"""The command as a user runs it: a set made, scored, and the mistakes."""

import json

import numpy as np
import pytest

from jaxsr.data.images import Photo, read_photo, write_photo
from jaxsr.weights import save
from tests.helpers.commands import run
from tests.helpers.networks import network
from tests.helpers.photos import smooth

pytestmark = pytest.mark.slow


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


def test_motion_from_the_set_to_the_restored_photo(photos, tmp_path):
    """Made, scored by a model of scale 1 and beside its input, restored with its alpha and odd sizes."""
    write_photo(photos / "b.png", Photo(smooth(61, 71), smooth(61, 71, 1)))
    flags = ["--kind=motion", "--kernel_size=24", "--exposures=0.5,1", "--jitter=0.005", "--seed=3"]
    made = run("degrade", photos, f"--output={tmp_path / 'set'}", *flags)
    assert made.returncode == 0 and "2 pairs of 2 photos" in made.stdout, made.stderr
    assert {path.name for path in (tmp_path / "set").iterdir()} == {"sharp", "blur", "kernels", "pairs.json"}
    save(tmp_path / "net.safetensors", network("deblurgan", 1, features=4, blocks=1))
    scores = [f"--data={tmp_path / 'set'}", f"--json={tmp_path / 's.json'}"]
    scored = run("evaluate", f"--model={tmp_path / 'net.safetensors'}", *scores, f"--save={tmp_path / 'out'}")
    assert scored.returncode == 0, scored.stderr
    assert "rgb: RGB" in scored.stdout and "blurred photos: blurred by random camera shake" in scored.stdout
    first = json.loads((tmp_path / "s.json").read_text())
    again = run("evaluate", f"--restored={tmp_path / 'out'}", *scores)
    assert again.returncode == 0, again.stderr
    second = json.loads((tmp_path / "s.json").read_text())
    assert second["mean"] == pytest.approx(first["mean"], abs=1e-6) and second["input"] == first["input"]
    alone = run("evaluate", f"--model={tmp_path / 'net.safetensors'}", f"--data={photos}")
    assert alone.returncode == 2 and "holds sharp photos alone; give the blurred ones" in alone.stderr
    other = run("evaluate", "--model=bicubic", f"--data={tmp_path / 'set'}")
    assert other.returncode == 2 and "paired set of scale 1, bicubic is for 2, 3, 4, 8;" in other.stderr
    restored = run("restore", photos / "b.png", f"--model={tmp_path / 'net.safetensors'}", f"--output={tmp_path / 'r'}")
    assert restored.returncode == 0 and "1 of 1 photos restored by deblurgan" in restored.stdout, restored.stderr
    photo, original = (read_photo(folder / "b.png") for folder in (tmp_path / "r", photos))
    assert photo.pixels.shape == (61, 71, 3)
    np.testing.assert_array_equal(photo.alpha, original.alpha)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--kind=gaussian"], "gaussian"),
        (["--kind=gaussian8", "--scale=8"], "gaussian8 has no scale 8"),
        (["--kind=bicubic", "--scale=1"], "bicubic has no scale 1; choose one of: 2, 3, 4, 8"),
        (["--kind=motion", "--scale=2"], "motion has no scale 2; choose one of: 1"),
        (["--kind=motion", "--exposures=0.5,long"], "exposures takes numbers such as 0.1,0.5; got '0.5,long'"),
        (["--kind=motion", "--exposures=2"], "shares of the time must lie in (0, 1]"),
        (["--kind=gaussian8", "--jitter=0.1"], "gaussian8 takes no jitter"),
        ([], "kind"),
    ],
)
def test_mistakes_take_one_line_and_write_nothing(flags, message, photos, tmp_path):
    done = run("degrade", photos, f"--output={tmp_path / 'set'}", *flags)
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "set").exists()
