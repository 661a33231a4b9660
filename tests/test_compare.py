"""The command as a user runs it."""

import functools

import pytest
from PIL import Image

from tests.helpers import commands
from tests.helpers.photos import photo

pytestmark = pytest.mark.slow


run = functools.partial(commands.run, "compare")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(photo(40, 50)).save(folder / "colour.png")
    (folder / "broken.png").write_bytes(b"no photo")
    return folder


def test_a_page_with_failures(photos, tmp_path):
    output = tmp_path / "new" / "compare.html"
    models = ("--models=bicubic,fsrcnn-x3", "--models=nope-x3", f"--hr={photos / 'colour.png'}")
    done = run(photos / "colour.png", f"--output={output}", *models)
    assert done.returncode == 1, done.stderr
    assert "1 of 1 photos compared in" in done.stdout and "nope-x3: unknown model" in done.stderr
    done = run(photos, f"--output={output}", *models[:1])
    assert done.returncode == 1 and "1 of 2 photos compared in" in done.stdout
    assert done.stderr.count("\n") == 1 and "broken.png" in done.stderr
    assert done.stdout.startswith("colour.png: 50x40 pixels\n")
    text = output.read_text()
    assert "colour.png" in text and "fsrcnn-x3" in text and "broken.png: " in text
    assert [path.name for path in output.parent.iterdir()] == ["compare.html"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["colour.png", "--output=c.txt"], "must end in .html"),
        (["colour.png", "--output=c.html", "--at=here"], "write for example --at=0.5,0.5"),
        (["colour.png", "--output=c.html", "--models=nope"], "unknown model 'nope'"),
        (["--output=c.html"], "no photos given"),
        (["colour.png"], "output"),
    ],
)
def test_mistakes_take_one_line_and_write_nothing(arguments, message, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos)
    monkeypatch.setenv("PYTHONPATH", commands.__file__.removesuffix("/tests/helpers/commands.py"))
    done = run(*arguments)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert {path.name for path in photos.iterdir()} == {"colour.png", "broken.png"}
